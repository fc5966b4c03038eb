// SPDX-License-Identifier: Apache-2.0
//
// The waterfall: tree left, bars right, ruler above, one scroll position for all. The component only
// builds the frame; WaterfallScreen moves the pixels, once a frame at most and without rendering.
// Next: draw/waterfall.ts, pages/trace/tree_grid.ts.
import { effect, untracked } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { canvasColours } from '../../app/theme';
import { drawRuler, kRowHeight, timeAt, WaterfallPainter, type WaterfallView as View } from '../../draw/waterfall';
import { fitPath } from '../../model/fit_names';
import type { TraceColumns } from '../../model/trace_columns';
import { formatCount, plural } from '../../model/units';
import { textWidth } from '../../parts/text_width';
import { prepareCanvas } from '../../parts/use_canvas';
import { RowScroller } from './row_scroller';
import type { TraceState } from './trace_state';
import { TreeGrid } from './tree_grid';

const kRulerHeight = 24;
const kWidthKey = 'weft.treeWidth';
const kTreeLeast = 160;
const kLabelRoom = 76;
const kPathPadding = 10;
const kPathBetween = 18; // px from name to name
const kPathName = 150; // a longer name is cut at its end
const kPathText = 12;
const kPathMost = 40; // ancestors that are looked at for room

function storedWidth(): number {
  try {
    const width = Number(window.localStorage.getItem(kWidthKey));
    return width >= kTreeLeast ? width : 0;
  } catch {
    return 0;
  }
}

interface Parts {
  frame: HTMLElement;
  scroll: HTMLElement;
  space: HTMLElement;
  grid: HTMLElement;
  bars: HTMLCanvasElement;
  ruler: HTMLCanvasElement;
  path: HTMLElement;
}

function pathButton(columns: TraceColumns, row: number): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'text-button';
  button.textContent = columns.nameOf(row);
  button.title = `level ${columns.depth[row]! + 1}: ${columns.serviceOf(row)} ${columns.nameOf(row)}`;
  button.dataset.row = String(row);
  return button;
}

function pathCut(count: number): HTMLElement {
  const cut = document.createElement('span');
  cut.className = 'path-cut';
  cut.textContent = `\u2026 ${formatCount(count)}`;
  cut.title = `${plural(count, 'level')} between`;
  return cut;
}

class WaterfallScreen {
  private readonly tree: TreeGrid;
  private readonly scroller: RowScroller;
  private painter: WaterfallPainter | null = null;
  private painted: TraceColumns | null = null;
  private frame = 0;
  private hovered = -1;
  private cursorX = -1;
  private drag: { startX: number; lastX: number; kind: 'pan' | 'select'; pointer: number } | null = null;
  private readonly stops: (() => void)[] = [];
  private seenReveals = 0;
  private firstPaint = false;

  constructor(private readonly state: TraceState, private readonly parts: Parts) {
    this.tree = new TreeGrid(parts.grid, state);
    this.scroller = new RowScroller(parts.scroll, parts.space, () => this.schedule());
    this.listen();
    const observer = new ResizeObserver(() => this.schedule());
    observer.observe(parts.scroll);
    observer.observe(parts.frame);
    this.stops.push(
      () => observer.disconnect(),
      effect(() => {
        state.version.value;
        state.rowsVersion.value;
        state.range.value;
        state.selected.value;
        state.found.value;
        state.skew.value;
        state.strongPath.value;
        state.reveals.value;
        canvasColours.value;
        this.schedule();
      }),
    );
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.scroller.dispose();
    for (const stop of this.stops) stop();
  }

  private on<K extends keyof HTMLElementEventMap>(
    target: HTMLElement, type: K, run: (event: HTMLElementEventMap[K]) => void, options?: AddEventListenerOptions,
  ): void {
    target.addEventListener(type, run as EventListener, options);
    this.stops.push(() => target.removeEventListener(type, run as EventListener, options));
  }

  private listen(): void {
    const { bars, ruler, grid, scroll } = this.parts;
    this.on(bars, 'pointermove', (event) => this.moveOverBars(event));
    this.on(bars, 'pointerdown', (event) => this.startDrag(event, 'pan'));
    this.on(bars, 'pointerup', (event) => this.endDrag(event));
    this.on(bars, 'pointercancel', () => (this.drag = null));
    this.on(bars, 'pointerleave', () => this.leave());
    this.on(bars, 'dblclick', (event) => {
      const position = this.positionAt(event.offsetY);
      if (position >= 0) this.state.fit(this.state.rows.rows[position]!);
    });
    this.on(ruler, 'pointermove', (event) => this.moveOverBars(event));
    this.on(ruler, 'pointerdown', (event) => this.startDrag(event, 'select'));
    this.on(ruler, 'pointerup', (event) => this.endDrag(event));
    this.on(ruler, 'pointerleave', () => this.leave());
    this.on(ruler, 'dblclick', () => this.state.fit(-1));
    this.on(grid, 'click', (event) => this.clickTree(event));
    this.on(grid, 'dblclick', (event) => {
      const hit = this.tree.hit(event.target as Element);
      if (hit !== null && !hit.caret) this.state.toggleAt(hit.position);
    });
    this.on(grid, 'pointermove', (event) => {
      this.hovered = this.positionAt(event.clientY - grid.getBoundingClientRect().top);
      this.schedule();
    });
    this.on(grid, 'pointerleave', () => this.leave());
    this.on(scroll, 'wheel', (event) => this.wheel(event), { passive: false });
  }

  private positionAt(y: number): number {
    const position = Math.floor((this.scroller.topPx + y) / kRowHeight);
    return position >= 0 && position < this.state.rows.count ? position : -1;
  }

  private view(): View {
    const width = this.parts.bars.clientWidth;
    const [from, end] = this.state.shown;
    // The whole trace leaves room for the labels of the longest bars.
    const room = this.state.range.value === null && width > 4 * kLabelRoom ? kLabelRoom : 0;
    const to = from + ((end - from) * width) / (width - room);
    return {
      width, height: this.parts.bars.clientHeight, from, to, origin: this.state.full[0], strongPath: this.state.strongPath.value, topPx: this.scroller.topPx,
      selected: this.state.selected.value, hovered: this.hovered, cursorX: this.cursorX, foundMarks: this.state.foundMarks,
    };
  }

  private moveOverBars(event: PointerEvent): void {
    this.cursorX = event.offsetX;
    if (event.currentTarget === this.parts.bars) this.hovered = this.positionAt(event.offsetY);
    if (this.drag?.kind === 'pan') {
      const view = this.view();
      this.state.panBy((this.drag.lastX - event.offsetX) / view.width);
      this.drag.lastX = event.offsetX;
    } else if (this.drag !== null) {
      this.drag.lastX = event.offsetX;
    }
    this.schedule();
  }

  private startDrag(event: PointerEvent, kind: 'pan' | 'select'): void {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    this.drag = { startX: event.offsetX, lastX: event.offsetX, kind, pointer: event.pointerId };
    this.parts.grid.focus({ preventScroll: true });
  }

  private endDrag(event: PointerEvent): void {
    const { drag } = this;
    this.drag = null;
    if (drag === null) return;
    const moved = Math.abs(event.offsetX - drag.startX) > 4;
    if (drag.kind === 'select' && moved) {
      const view = this.view();
      this.state.zoomTo(timeAt(view, drag.startX), timeAt(view, event.offsetX), true);
    } else if (drag.kind === 'pan' && !moved) {
      const position = this.positionAt(event.offsetY);
      if (position >= 0) this.pick(position);
    }
    this.schedule();
  }

  private pick(position: number): void {
    if (this.state.rows.runs[position]! > 0) this.state.toggleAt(position);
    else this.state.select(this.state.rows.rows[position]!);
  }

  private clickTree(event: MouseEvent): void {
    const hit = this.tree.hit(event.target as Element);
    if (hit === null) return;
    if (hit.caret) this.state.toggleAt(hit.position);
    else if (hit.logs) this.state.showLogs(this.state.rows.rows[hit.position]!);
    else if (event.detail < 2) this.pick(hit.position);
  }

  private leave(): void {
    this.cursorX = -1;
    this.hovered = -1;
    this.schedule();
  }

  private wheel(event: WheelEvent): void {
    const { bars } = this.parts;
    const width = bars.clientWidth;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const x = event.clientX - bars.getBoundingClientRect().left;
      this.state.zoomBy(Math.exp(event.deltaY * 0.002), x < 0 ? undefined : timeAt(this.view(), x));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.state.panBy((event.deltaX || event.deltaY) / width);
    }
  }

  private schedule(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      untracked(() => this.paint());
    });
  }

  private paint(): void {
    const { state, parts } = this;
    const columns = state.columns.value;
    if (columns === null) return;
    if (columns !== this.painted) {
      this.painted = columns;
      this.painter = new WaterfallPainter(columns);
    }
    this.scroller.resize(state.rows.count * kRowHeight);
    if (state.reveals.value !== this.seenReveals) {
      this.seenReveals = state.reveals.value;
      this.scrollIntoView();
    }
    const view = this.view();
    const version = state.version.value * 65_536 + state.rowsVersion.value;
    this.tree.update(this.scroller.topPx, parts.scroll.clientHeight, version, this.hovered);
    const colours = canvasColours.value;
    const g = prepareCanvas(parts.bars, view);
    this.painter!.draw(g, state.rows, view, colours);
    const rulerSize = { width: view.width, height: kRulerHeight };
    const ruler = prepareCanvas(parts.ruler, rulerSize);
    drawRuler(ruler, view, colours, kRulerHeight);
    if (this.drag?.kind === 'select') {
      ruler.fillStyle = colours.accentWash;
      ruler.fillRect(this.drag.startX, 0, this.drag.lastX - this.drag.startX, kRulerHeight);
      g.fillStyle = colours.accentWash;
      g.fillRect(this.drag.startX, 0, this.drag.lastX - this.drag.startX, view.height);
    }
    this.showPath(columns);
    if (!this.firstPaint && columns.count > 0) {
      this.firstPaint = true;
      performance.mark('weft-trace-first-paint');
    }
  }

  // The ancestors that have scrolled out above the first row on screen, as a way back to them: the root
  // and the nearest ones, as many as have room; what is between them is counted.
  private showPath(columns: TraceColumns): void {
    const { path } = this.parts;
    const first = Math.floor(this.scroller.topPx / kRowHeight);
    const row = first > 0 && first < this.state.rows.count ? this.state.rows.rows[first]! : -1;
    const parent = row < 0 ? -1 : columns.parent[row]!;
    const room = path.clientWidth - 2 * kPathPadding;
    const key = `${parent} ${room}`;
    if (path.dataset.parent === key) return;
    path.dataset.parent = key;
    if (parent < 0) {
      path.replaceChildren();
      return;
    }
    const count = columns.depth[parent]! + 1;
    const nearest: number[] = [];
    for (let up = parent; up >= 0 && nearest.length < Math.min(kPathMost, count - 1); up = columns.parent[up]!) nearest.push(up);
    let root = parent;
    while (columns.parent[root]! >= 0) root = columns.parent[root]!;
    const width = (ancestor: number) => Math.min(kPathName, textWidth(columns.nameOf(ancestor), kPathText));
    const shown = fitPath(width(root), nearest.map(width), kPathBetween, textWidth(`\u2026 ${count}`, kPathText), room, count);
    const cut = count - 1 - shown;
    path.replaceChildren(
      pathButton(columns, root),
      ...(cut > 0 ? [pathCut(cut)] : []),
      ...nearest.slice(0, shown).reverse().map((ancestor) => pathButton(columns, ancestor)),
    );
  }

  private scrollIntoView(): void {
    const row = this.state.selected.value;
    if (row < 0) return;
    const y = this.state.rows.positionOf(row) * kRowHeight;
    const { viewPx, topPx } = this.scroller;
    const room = Math.min(3 * kRowHeight, viewPx / 4);
    if (y < topPx + room) this.scroller.scrollTo(y - room);
    else if (y + kRowHeight > topPx + viewPx - room) this.scroller.scrollTo(y + kRowHeight - viewPx + room);
    const columns = this.state.columns.value!;
    const [from, to] = this.state.shown;
    if (this.state.range.value !== null && columns.hasTime(row) && (columns.endOf(row) < from || columns.startOf(row) > to)) {
      const middle = (columns.startOf(row) + columns.endOf(row)) / 2;
      this.state.zoomTo(middle - (to - from) / 2, middle + (to - from) / 2);
    }
  }
}

export function WaterfallView({ state }: { state: TraceState }) {
  const frame = useRef<HTMLDivElement>(null);
  const scroll = useRef<HTMLDivElement>(null);
  const space = useRef<HTMLDivElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const bars = useRef<HTMLCanvasElement>(null);
  const ruler = useRef<HTMLCanvasElement>(null);
  const path = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const width = storedWidth();
    if (width > 0) frame.current!.style.setProperty('--tree-width', `${width}px`);
    const screen = new WaterfallScreen(state, {
      frame: frame.current!, scroll: scroll.current!, space: space.current!, grid: grid.current!, bars: bars.current!,
      ruler: ruler.current!, path: path.current!,
    });
    return () => screen.dispose();
  }, [state]);
  const setWidth = (width: number) => {
    const fitting = Math.round(Math.max(kTreeLeast, Math.min(width, frame.current!.clientWidth - 200)));
    frame.current!.style.setProperty('--tree-width', `${fitting}px`);
    try {
      window.localStorage.setItem(kWidthKey, String(fitting));
    } catch {
      // The width then lasts as long as the page.
    }
  };
  const widthNow = () => grid.current!.clientWidth;
  return (
    <div class="waterfall" ref={frame}>
      <div class="waterfall-head">
        <div class="waterfall-path" ref={path} onClick={(event) => {
          const row = (event.target as HTMLElement).dataset.row;
          if (row !== undefined) state.showRow(Number(row));
        }} />
        <canvas class="waterfall-ruler" ref={ruler} aria-hidden="true" />
      </div>
      <div class="waterfall-scroll" ref={scroll}>
        <div class="waterfall-sticky">
          <div class="waterfall-tree" role="treegrid" aria-label="Spans" tabIndex={0} aria-colcount={2} ref={grid} />
          <div class="waterfall-split" role="separator" aria-orientation="vertical" aria-label="Width of the names"
            tabIndex={0} aria-valuenow={300} aria-valuemin={kTreeLeast} aria-valuemax={2000}
            onKeyDown={(event) => {
              const step = event.key === 'ArrowLeft' ? -20 : event.key === 'ArrowRight' ? 20 : 0;
              if (step === 0) return;
              event.preventDefault();
              event.stopPropagation();
              setWidth(widthNow() + step);
            }}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={(event) => {
              if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
              setWidth(event.clientX - grid.current!.getBoundingClientRect().left);
            }} />
          <canvas class="waterfall-bars" ref={bars} aria-hidden="true" />
        </div>
        <div class="waterfall-space" ref={space} aria-hidden="true" />
      </div>
    </div>
  );
}
