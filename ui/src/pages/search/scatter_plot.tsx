// SPDX-License-Identifier: Apache-2.0
//
// The scatter over the results: click a point to open its trace, drag a box to narrow the search.
// The table below says the same to those who cannot see it. Next: draw/scatter.ts.
import { useRef, useState } from 'preact/hooks';
import type { TraceSummary } from '../../api/types';
import { go } from '../../app/router';
import { canvasColours } from '../../app/theme';
import {
  drawScatter, pointAt, scatterDuration, scatterScale, scatterTime, type Point,
} from '../../draw/scatter';
import { traceUrl } from '../../model/trace_url';
import { formatDuration, formatTime, nsToMs, plural } from '../../model/units';
import { prepareCanvas, useCanvas } from '../../parts/use_canvas';

export interface Box {
  fromMs: number;
  toMs: number;
  lowNs: number;
  highNs: number;
}

interface Props {
  traces: readonly TraceSummary[];
  hovered: string;
  onHover: (traceId: string) => void;
  onBox: (box: Box) => void;
}

interface Drag {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export function ScatterPlot({ traces: all, hovered, onHover, onBox }: Props) {
  const traces = all.filter((trace) => trace.startNs !== '0'); // what has no time has no place here
  const drag = useRef<Drag | null>(null);
  const [tip, setTip] = useState<{ index: number } | null>(null);
  const points: Point[] = traces.map((trace) => ({
    atMs: nsToMs(trace.startNs), durationNs: trace.durationNs, spans: trace.spans,
    error: trace.errors > 0,
  }));
  const hover = traces.findIndex((trace) => trace.traceId === hovered);
  const paint = (canvas: HTMLCanvasElement) => {
    const size = { width: canvas.clientWidth, height: canvas.clientHeight };
    const g = prepareCanvas(canvas, size);
    const colours = canvasColours.value;
    drawScatter(g, points, scatterScale(points, size.width, size.height), colours, hover);
    const box = drag.current;
    if (box !== null) {
      g.fillStyle = colours.accentWash;
      g.strokeStyle = colours.accent;
      g.lineWidth = 1;
      g.fillRect(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
      g.strokeRect(box.x0 + 0.5, box.y0 + 0.5, box.x1 - box.x0, box.y1 - box.y0);
    }
  };
  const ref = useCanvas(paint, () => canvasColours.value);
  const scaleNow = () => scatterScale(points, ref.current!.clientWidth, ref.current!.clientHeight);

  const onPointerMove = (event: PointerEvent) => {
    const box = drag.current;
    if (box !== null) {
      box.x1 = event.offsetX;
      box.y1 = event.offsetY;
      paint(ref.current!);
      return;
    }
    const index = pointAt(points, scaleNow(), event.offsetX, event.offsetY);
    setTip(index < 0 ? null : { index });
    onHover(index < 0 ? '' : traces[index]!.traceId);
  };
  const onPointerUp = (event: PointerEvent) => {
    const box = drag.current;
    drag.current = null;
    if (box === null) return;
    if (Math.abs(box.x1 - box.x0) < 5 && Math.abs(box.y1 - box.y0) < 5) {
      const index = pointAt(points, scaleNow(), event.offsetX, event.offsetY);
      if (index >= 0) go(traceUrl(traces[index]!.traceId));
      return;
    }
    const scale = scaleNow();
    onBox({
      fromMs: scatterTime(scale, Math.min(box.x0, box.x1)),
      toMs: scatterTime(scale, Math.max(box.x0, box.x1)),
      lowNs: scatterDuration(scale, Math.max(box.y0, box.y1)),
      highNs: scatterDuration(scale, Math.min(box.y0, box.y1)),
    });
  };
  const shown = tip === null ? undefined : traces[tip.index];
  return (
    <div class="scatter">
      <canvas ref={ref} role="img"
        aria-label={`Duration over time of ${plural(traces.length, 'trace')}; the table below lists them`}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x0: event.offsetX, y0: event.offsetY, x1: event.offsetX, y1: event.offsetY };
        }}
        onPointerMove={onPointerMove} onPointerUp={onPointerUp}
        onPointerCancel={() => { drag.current = null; paint(ref.current!); }}
        onPointerLeave={() => { setTip(null); onHover(''); }} />
      <div class="scatter-tip" aria-hidden="true">
        {shown === undefined
          ? <span class="dim">click a point for its trace, drag a box to narrow</span>
          : <><b>{shown.rootService}</b> {shown.rootName} · {formatDuration(shown.durationNs)} ·{' '}
            {plural(shown.spans, 'span')}
            {shown.errors > 0 && <span class="error-text"> · {plural(shown.errors, 'error')}</span>}
            {' '}· {formatTime(nsToMs(shown.startNs))}</>}
      </div>
    </div>
  );
}
