// SPDX-License-Identifier: Apache-2.0
//
// The strip over the waterfall: drag to zoom, drag the window to pan, drag its edges, double-click
// for everything. Keys do the same on the waterfall. Next: draw/minimap.ts.
import { useRef } from 'preact/hooks';
import { canvasColours } from '../../app/theme';
import { drawMinimap, minimapX, paintSpans, type MinimapView as View } from '../../draw/minimap';
import { prepareCanvas, useCanvas } from '../../parts/use_canvas';
import type { TraceState } from './trace_state';

const kGrabPx = 6;

type Grab =
  | { kind: 'new'; at: number }
  | { kind: 'edge'; other: number }
  | { kind: 'move'; at: number; from: number; to: number };

export function MinimapView({ state }: { state: TraceState }) {
  const picture = useRef<HTMLCanvasElement>(document.createElement('canvas'));
  const pictured = useRef('');
  const paintedRows = useRef(0);
  const grab = useRef<Grab | null>(null);
  const viewOf = (width: number, height: number): View => {
    const [fullFrom, fullTo] = state.full;
    const [from, to] = state.shown;
    return { width, height, fullFrom, fullTo, from, to, zoomed: state.range.value !== null };
  };
  const ref = useCanvas(
    (canvas, size) => {
      const columns = state.columns.value;
      if (columns === null) return;
      const g = prepareCanvas(canvas, size);
      const key = `${canvas.width} ${canvas.height} ${canvasColours.value.dark} ${state.skew.value} ${state.strongPath.value} ${columns.header.spans}`;
      // While rows stream in, the picture is made anew for each doubling and at the end.
      const grown = columns.count >= 2 * paintedRows.current || columns.count === columns.header.spans;
      if (key !== pictured.current || (grown && columns.count !== paintedRows.current)) {
        pictured.current = key;
        paintedRows.current = columns.count;
        paintSpans(picture.current, columns, canvas.width, canvas.height, canvasColours.value, state.strongPath.value);
      }
      drawMinimap(g, picture.current, viewOf(size.width, size.height), canvasColours.value);
    },
    () => [state.version.value, state.range.value, state.skew.value, state.strongPath.value, canvasColours.value],
  );
  const timeOf = (x: number) => {
    const [from, to] = state.full;
    return from + (x / ref.current!.clientWidth) * (to - from);
  };
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    ref.current!.setPointerCapture(event.pointerId);
    const view = viewOf(ref.current!.clientWidth, ref.current!.clientHeight);
    const a = minimapX(view, view.from);
    const b = minimapX(view, view.to);
    const x = event.offsetX;
    if (view.zoomed && Math.abs(x - a) <= kGrabPx) grab.current = { kind: 'edge', other: view.to };
    else if (view.zoomed && Math.abs(x - b) <= kGrabPx) grab.current = { kind: 'edge', other: view.from };
    else if (view.zoomed && x > a && x < b) grab.current = { kind: 'move', at: timeOf(x), from: view.from, to: view.to };
    else grab.current = { kind: 'new', at: timeOf(x) };
  };
  const onPointerMove = (event: PointerEvent) => {
    const held = grab.current;
    if (held === null) return;
    const at = timeOf(event.offsetX);
    if (held.kind === 'edge') {
      state.zoomTo(held.other, at);
    } else if (held.kind === 'new') {
      if (Math.abs(at - held.at) > (state.full[1] - state.full[0]) / 400) state.zoomTo(held.at, at);
    } else {
      const [low, high] = state.full;
      const by = Math.max(low - held.from, Math.min(high - held.to, at - held.at));
      state.zoomTo(held.from + by, held.to + by);
    }
  };
  const onPointerUp = () => {
    if (grab.current !== null) state.push();
    grab.current = null;
  };
  return (
    <canvas class="minimap" ref={ref} role="img" aria-label="The whole trace; zoom with w and s, pan with a and d"
      onPointerDown={onPointerDown} onPointerMove={onPointerMove} onPointerUp={onPointerUp}
      onDblClick={() => state.fit(-1)} />
  );
}
