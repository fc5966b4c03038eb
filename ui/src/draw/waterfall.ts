// SPDX-License-Identifier: Apache-2.0
//
// The bars of the waterfall, its ruler, and the density of lines that stand for many spans.
// (model, view) -> pixels; nothing is allocated for a row that was drawn before.
//
// A bar is solid where the span itself was at work and pale where it waited for children; a long
// solid stretch between children carries its length: time that no child explains. The critical path
// is a line along the lower edge. A dashed bar is a span that its parent does not wait for. Next: draw/minimap.ts.
import type { CanvasColours } from '../app/theme';
import { kFlagCopy, kFlagFollows, kLabelRun, type TraceColumns } from '../model/trace_columns';
import { comparedDurations, formatDuration, formatTick, niceStep, plural } from '../model/units';
import { kContext, type VisibleRows } from '../model/visible_rows';

export const kRowHeight = 24;
const kBarTop = 8;
const kBarHeight = 10;
const kGapLeastPx = 64;
const kDash = 7;
const kFinerMost = 3; // digits more beside a bar: finer differences are for the table
const kOffPath = 0.22; // opacity of what is not on the path while that stands out
const kFont = '11px system-ui, sans-serif';

export interface WaterfallView {
  width: number;
  height: number;
  from: number; // ns
  to: number;
  origin: number; // what the axis calls zero
  strongPath: boolean; // the critical path stands out, everything else is pale
  topPx: number; // scrolled
  selected: number; // row
  hovered: number; // position
  cursorX: number; // -1: none
  foundMarks: Uint8Array;
}

// One colour a service of the trace, by its index.
export function serviceFills(columns: TraceColumns): string[] {
  return columns.header.services.map((name) => columns.colours.of(name));
}

// Calls `mark` at each tick of the axis, with its offset from the origin.
function eachTick(view: WaterfallView, step: number, mark: (x: number, offset: number) => void): void {
  const scale = spread(view);
  const last = view.to - view.origin;
  for (let offset = Math.ceil((view.from - view.origin) / step) * step; offset <= last; offset += step) {
    mark(Math.round((offset + view.origin - view.from) * scale), offset);
  }
}

function spread(view: WaterfallView): number {
  return view.width / (view.to - view.from);
}

export function timeAt(view: { from: number; to: number; width: number }, x: number): number {
  return view.from + (x / view.width) * (view.to - view.from);
}

export function drawRuler(
  g: CanvasRenderingContext2D,
  view: WaterfallView,
  colours: CanvasColours,
  height: number,
): void {
  const step = niceStep(view.to - view.from, view.width / 110);
  g.font = kFont;
  g.textBaseline = 'middle';
  g.fillStyle = colours.dim;
  g.strokeStyle = colours.line;
  g.lineWidth = 1;
  eachTick(view, step, (x, offset) => {
    g.beginPath();
    g.moveTo(x + 0.5, height - 7);
    g.lineTo(x + 0.5, height);
    g.stroke();
    const label = formatTick(Math.abs(offset) < step / 2 ? 0 : offset, step);
    if (x + g.measureText(label).width + 4 < view.width) g.fillText(label, x + 4, height / 2);
  });
  if (view.cursorX >= 0) {
    const label = formatDuration(timeAt(view, view.cursorX) - view.origin);
    const width = g.measureText(label).width + 8;
    const x = Math.min(view.width - width, view.cursorX + 3);
    g.fillStyle = colours.ink;
    g.fillRect(x, 4, width, height - 8);
    g.fillStyle = colours.surface;
    g.fillText(label, x + 4, height / 2);
  }
}

// Scratch of the density, as wide as the widest canvas so far.
let counts = new Int32Array(0);
let errorCounts = new Int32Array(0);

export class WaterfallPainter {
  private readonly fills: string[];
  // Durations on screen that differ look different; made anew when other rows come on screen.
  private format = comparedDurations([]);
  private formatFor = '';

  constructor(private readonly columns: TraceColumns) {
    this.fills = serviceFills(columns);
  }

  private compareOnScreen(rows: VisibleRows, first: number, last: number): void {
    const key = `${first} ${last} ${rows.built}`;
    if (key === this.formatFor) return;
    this.formatFor = key;
    const durations: number[] = [];
    for (let position = first; position < last; position++) {
      if (rows.runs[position] === 0) durations.push(this.columns.duration[rows.rows[position]!]!);
    }
    this.format = comparedDurations(durations, kFinerMost);
  }

  draw(g: CanvasRenderingContext2D, rows: VisibleRows, view: WaterfallView, colours: CanvasColours): void {
    const first = Math.max(0, Math.floor(view.topPx / kRowHeight));
    const last = Math.min(rows.count, Math.ceil((view.topPx + view.height) / kRowHeight));
    this.compareOnScreen(rows, first, last);
    this.drawGrid(g, view, colours);
    const pale = { ...colours, dim: colours.pale };
    g.font = kFont;
    g.textBaseline = 'middle';
    for (let position = first; position < last; position++) {
      const row = rows.rows[position]!;
      const y = position * kRowHeight - view.topPx;
      if (row === view.selected || position === view.hovered) {
        g.fillStyle = row === view.selected ? colours.selected : colours.hover;
        g.fillRect(0, y, view.width, kRowHeight);
      }
      if (view.foundMarks[row] === 1) {
        g.fillStyle = colours.match;
        g.globalAlpha = 0.6;
        g.fillRect(0, y + 2, view.width, kRowHeight - 4);
        g.globalAlpha = 1;
      }
      const run = rows.runs[position]!;
      if (rows.marks[row] === kContext) g.globalAlpha = 0.35;
      else if (view.strongPath && !this.isOnPath(row, run)) g.globalAlpha = kOffPath;
      // Bars fade, texts can still be read.
      const marked = row === view.selected || position === view.hovered || view.foundMarks[row] === 1;
      const inks = g.globalAlpha < 1 && !marked ? pale : colours;
      if (run > 0) {
        this.drawRun(g, row, run, y, view, inks);
      } else {
        const next = position + 1 < rows.count ? rows.rows[position + 1]! : this.columns.count;
        const closed = this.columns.hasChildren(row) && next >= this.columns.end[row]!;
        this.drawSpan(g, row, y, view, inks, closed && rows.marks[row] !== kContext);
      }
      g.globalAlpha = 1;
    }
    if (view.cursorX >= 0) {
      g.fillStyle = colours.faint;
      g.fillRect(Math.round(view.cursorX), 0, 1, view.height);
    }
  }

  // Whether a line has something of the critical path; a folded line has where one of its spans has.
  private isOnPath(row: number, run: number): boolean {
    if (run === 0) return this.columns.isCritical(row);
    return this.columns.hasPiece(row, this.columns.foldEnd[row]!);
  }

  private drawGrid(g: CanvasRenderingContext2D, view: WaterfallView, colours: CanvasColours): void {
    g.fillStyle = colours.line;
    eachTick(view, niceStep(view.to - view.from, view.width / 110), (x) => g.fillRect(x, 0, 1, view.height));
  }

  private drawSpan(
    g: CanvasRenderingContext2D, row: number, y: number, view: WaterfallView, colours: CanvasColours, closed: boolean,
  ): void {
    const { columns } = this;
    if (!columns.hasTime(row)) {
      g.globalAlpha = 1;
      g.fillStyle = colours.dim;
      g.fillText('no time', 6, y + kBarTop + kBarHeight / 2 + 0.5);
      return;
    }
    const scale = spread(view);
    const x0 = (columns.startOf(row) - view.from) * scale;
    const x1 = Math.max(x0 + 1.5, (columns.endOf(row) - view.from) * scale);
    const a = Math.max(-2, x0);
    const b = Math.min(view.width + 2, x1);
    const alpha = g.globalAlpha;
    if (b > a) {
      g.fillStyle = this.fills[columns.service[row]!]!;
      if ((columns.flags[row]! & (kFlagFollows | kFlagCopy)) !== 0) {
        this.drawLoose(g, a, b, x0, y);
      } else if (columns.hasChildren(row) && x1 - x0 > 2) {
        g.globalAlpha = alpha * 0.36;
        g.fillRect(a, y + kBarTop, b - a, kBarHeight);
        g.globalAlpha = alpha;
        this.drawOwnWork(g, row, y, view, colours);
      } else {
        g.fillRect(a, y + kBarTop, b - a, kBarHeight);
      }
      if (columns.isError(row)) {
        g.fillStyle = colours.error;
        g.fillRect(a, y + kBarTop - 2, Math.min(3, b - a + 1), kBarHeight + 4);
      }
      this.drawCritical(g, row, y, view, colours);
      if (closed) this.drawDensity(g, row + 1, columns.end[row]!, y + kBarTop + kBarHeight, 3, view, colours.dim, colours.error);
    }
    g.globalAlpha = 1;
    this.drawLabel(g, row, x0, x1, y, view, colours, closed ? columns.end[row]! - row - 1 : 0);
  }

  // A span that its parent does not wait for: a dashed bar. The dashes stay where they are while panning.
  private drawLoose(g: CanvasRenderingContext2D, a: number, b: number, x0: number, y: number): void {
    for (let x = a - ((a - x0) % kDash); x < b; x += kDash) {
      const left = Math.max(a, x);
      const right = Math.min(b, x + kDash * 0.6);
      if (right > left) g.fillRect(left, y + kBarTop, right - left, kBarHeight);
    }
  }

  // The stretches of the bar that no child covers.
  private drawOwnWork(
    g: CanvasRenderingContext2D, row: number, y: number, view: WaterfallView, colours: CanvasColours,
  ): void {
    const { columns } = this;
    const scale = spread(view);
    const end = columns.endOf(row);
    const least = Math.max(kGapLeastPx / scale, columns.duration[row]! * 0.08);
    let covered = columns.startOf(row);
    const last = columns.end[row]!;
    for (let child = row + 1; child <= last; child = child < last ? columns.end[child]! : last + 1) {
      if (child < last && !columns.isWaitedFor(child)) continue;
      const from = child < last ? columns.startOf(child) : end;
      const to = Math.min(from, end);
      if (to > covered) {
        const a = Math.max(0, (covered - view.from) * scale);
        const b = Math.min(view.width, (to - view.from) * scale);
        if (b > a) {
          g.fillRect(a, y + kBarTop, Math.max(0.75, b - a), kBarHeight);
          if (to - covered >= least && b - a >= kGapLeastPx) this.drawGap(g, to - covered, a, b, y, colours);
        }
      }
      if (child < last) covered = Math.max(covered, columns.endOf(child));
      if (covered >= end) break;
    }
  }

  private drawGap(g: CanvasRenderingContext2D, ns: number, a: number, b: number, y: number, colours: CanvasColours): void {
    const text = `own ${formatDuration(ns)}`;
    const width = g.measureText(text).width + 8;
    if (b - a < width + 16) return;
    const fill = g.fillStyle;
    const alpha = g.globalAlpha;
    const left = Math.round((a + b - width) / 2);
    g.globalAlpha = 1;
    g.fillStyle = colours.surface;
    g.fillRect(left, y + kBarTop - 1, width, kBarHeight + 1);
    g.fillStyle = colours.dim;
    g.fillText(text, left + 4, y + kBarTop + kBarHeight / 2 + 0.5);
    g.globalAlpha = alpha;
    g.fillStyle = fill;
  }

  private drawCritical(
    g: CanvasRenderingContext2D, row: number, y: number, view: WaterfallView, colours: CanvasColours,
  ): void {
    const { columns } = this;
    const scale = spread(view);
    const skew = columns.shiftOf(row);
    const thick = view.strongPath ? 5 : 2;
    g.fillStyle = view.strongPath ? colours.accent : colours.ink;
    for (let piece = columns.firstPiece(row); columns.isPieceOf(piece, row); piece++) {
      const a = Math.max(0, (columns.pieceStart[piece]! + skew - view.from) * scale);
      const b = Math.min(view.width, (columns.pieceEnd[piece]! + skew - view.from) * scale);
      if (b > a) g.fillRect(a, y + kBarTop + kBarHeight + 2 - Math.max(2, thick - 1), Math.max(1, b - a), thick);
    }
  }

  private drawLabel(
    g: CanvasRenderingContext2D, row: number, x0: number, x1: number, y: number, view: WaterfallView,
    colours: CanvasColours, merged: number,
  ): void {
    let text = this.format(this.columns.duration[row]!);
    if (merged > 0) text = `${text}  \u00b7  ${plural(merged, 'span')} inside`;
    if (this.columns.isError(row)) text = `${text}  !`;
    const middle = y + kBarTop + kBarHeight / 2 + 0.5;
    const width = g.measureText(text).width;
    g.fillStyle = this.columns.isError(row) ? colours.error : colours.dim;
    if (x1 < 0) g.fillText(`\u2039 ${text}`, 3, middle);
    else if (x0 > view.width) g.fillText(`${text} \u203a`, view.width - width - 12, middle);
    else if (x1 + width + 8 < view.width) g.fillText(text, x1 + 5, middle);
    else if (x0 - width - 8 > 0) g.fillText(text, x0 - width - 5, middle);
    else if (x1 - x0 > width + 12) this.drawInside(g, text, width, Math.min(x1, view.width), y, middle, colours);
  }

  // On a plate of the surface's colour, so that it can be read over any service's colour.
  private drawInside(
    g: CanvasRenderingContext2D, text: string, width: number, right: number, y: number, middle: number, colours: CanvasColours,
  ): void {
    const fill = g.fillStyle;
    g.fillStyle = colours.surface;
    g.fillRect(right - width - 9, y + kBarTop - 1, width + 6, kBarHeight + 1);
    g.fillStyle = fill;
    g.fillText(text, right - width - 6, middle);
  }

  private drawRun(
    g: CanvasRenderingContext2D, row: number, run: number, y: number, view: WaterfallView, colours: CanvasColours,
  ): void {
    const { columns } = this;
    const to = columns.foldEnd[row]!;
    this.drawDensity(g, row, to, y + kBarTop, kBarHeight, view, this.fills[columns.service[row]!]!, colours.error);
    const last = this.lastEnd(row, to);
    const scale = spread(view);
    const x1 = (last - view.from) * scale;
    const text = columns.labelOf(kLabelRun, row, () => {
      const alike = `${plural(run, 'call')} alike in ${formatDuration(last - columns.startOf(row))}`;
      return to - row === run ? alike : `${alike}  \u00b7  ${plural(to - row, 'span')} with all below them`;
    });
    const width = g.measureText(text).width;
    g.globalAlpha = 1;
    g.fillStyle = colours.dim;
    const middle = y + kBarTop + kBarHeight / 2 + 0.5;
    const x0 = (columns.startOf(row) - view.from) * scale;
    if (x1 >= 0 && x1 + width + 8 < view.width) g.fillText(text, x1 + 5, middle);
    else if (x0 - width - 8 > 0 && x0 < view.width) g.fillText(text, x0 - width - 5, middle);
    else this.drawInside(g, text, width, view.width - 4, y, middle, colours);
  }

  private lastEnd(from: number, to: number): number {
    let last = this.columns.startOf(from);
    for (let row = from; row < to; row++) {
      if (this.columns.hasTime(row)) last = Math.max(last, this.columns.endOf(row));
    }
    return last;
  }

  // How many of the spans [from, to) run at each pixel, as a shade; a red tick where one failed.
  private drawDensity(
    g: CanvasRenderingContext2D, from: number, to: number, y: number, height: number, view: WaterfallView,
    fill: string, error: string,
  ): void {
    const { columns } = this;
    const width = Math.ceil(view.width);
    if (counts.length < width + 2) {
      counts = new Int32Array(width + 2);
      errorCounts = new Int32Array(width + 2);
    }
    counts.fill(0);
    const failed = columns.errorsIn(from, to) > 0;
    if (failed) errorCounts.fill(0);
    const scale = spread(view);
    for (let row = from; row < to; row++) {
      if (!columns.hasTime(row)) continue;
      const a = Math.max(0, Math.floor((columns.startOf(row) - view.from) * scale));
      const b = Math.min(width - 1, Math.floor((columns.endOf(row) - view.from) * scale));
      if (b < a) continue;
      counts[a]!++;
      counts[b + 1]!--;
      if (failed && columns.isError(row)) errorCounts[a]!++;
    }
    let most = 1;
    for (let x = 0, sum = 0; x < width; x++) {
      sum += counts[x]!;
      counts[x] = sum;
      if (sum > most) most = sum;
    }
    const alpha = g.globalAlpha;
    g.fillStyle = fill;
    for (let x = 0; x < width; ) {
      const shade = counts[x] === 0 ? 0 : 1 + Math.floor((3.99 * Math.log1p(counts[x]!)) / Math.log1p(most) - 1e-9);
      let end = x + 1;
      while (end < width && (counts[end] === 0 ? 0 : 1 + Math.floor((3.99 * Math.log1p(counts[end]!)) / Math.log1p(most) - 1e-9)) === shade) end++;
      if (shade > 0) {
        g.globalAlpha = alpha * (0.25 + 0.1875 * Math.min(4, shade));
        g.fillRect(x, y, end - x, height);
      }
      x = end;
    }
    g.globalAlpha = alpha;
    if (!failed) return;
    g.fillStyle = error;
    for (let x = 0; x < width; x++) {
      if (errorCounts[x]! > 0) g.fillRect(x - 1, y - 2, 3, height + 4);
    }
  }
}
