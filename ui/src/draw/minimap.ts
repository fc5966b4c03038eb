// SPDX-License-Identifier: Apache-2.0
//
// The whole trace in a strip: a pixel line a span (or a share of a line where there are more spans
// than lines), errors as red ticks, and the zoomed part as a window. The strip itself is drawn once
// into a picture of its own and copied afterwards. Next: pages/trace/minimap_view.tsx.
import type { CanvasColours } from '../app/theme';
import type { TraceColumns } from '../model/trace_columns';
import { serviceFills } from './waterfall';

// The spans alone, `width` by `height` device pixels.
export function paintSpans(picture: HTMLCanvasElement, columns: TraceColumns, width: number, height: number,
  colours: CanvasColours, strongPath: boolean): void {
  picture.width = width;
  picture.height = height;
  const g = picture.getContext('2d')!;
  const { count } = columns;
  if (count === 0) return;
  const low = columns.fullStart;
  const scale = width / (columns.fullEnd - low);
  const fills = serviceFills(columns);
  const lines = height - 6;
  const thick = Math.max(1, Math.min(6, Math.floor(lines / count) - 1));
  const perRow = Math.min(8, lines / count);
  // Grouped by service, since changing the colour costs more than a rectangle.
  for (let service = 0; service < fills.length; service++) {
    g.fillStyle = fills[service]!;
    for (let row = 0; row < count; row++) {
      if (columns.service[row] !== service || !columns.hasTime(row)) continue;
      g.globalAlpha = strongPath && !columns.isCritical(row) ? 0.2 : 1;
      const x = (columns.startOf(row) - low) * scale;
      const y = 3 + Math.floor(row * perRow);
      g.fillRect(x, y, Math.max(1, columns.duration[row]! * scale), thick);
    }
  }
  g.globalAlpha = 1;
  if (columns.errorsIn(0, count) === 0) return;
  g.fillStyle = colours.error;
  for (let row = 0; row < count; row++) {
    if (!columns.isError(row) || !columns.hasTime(row)) continue;
    g.fillRect((columns.startOf(row) - low) * scale, 1 + Math.floor(row * perRow), 2, 4);
  }
}

export interface MinimapView {
  width: number;
  height: number;
  fullFrom: number;
  fullTo: number;
  from: number;
  to: number;
  zoomed: boolean;
}

export function minimapX(view: MinimapView, ns: number): number {
  return ((ns - view.fullFrom) / (view.fullTo - view.fullFrom)) * view.width;
}

export function drawMinimap(
  g: CanvasRenderingContext2D, picture: HTMLCanvasElement, view: MinimapView, colours: CanvasColours,
): void {
  g.drawImage(picture, 0, 0, view.width, view.height);
  if (!view.zoomed) return;
  const a = minimapX(view, view.from);
  const b = Math.max(a + 2, minimapX(view, view.to));
  g.fillStyle = colours.surface;
  g.globalAlpha = 0.72;
  g.fillRect(0, 0, a, view.height);
  g.fillRect(b, 0, view.width - b, view.height);
  g.globalAlpha = 1;
  g.fillStyle = colours.accent;
  g.fillRect(a - 1, 0, 2, view.height);
  g.fillRect(b - 1, 0, 2, view.height);
  g.fillRect(a - 3, view.height / 2 - 8, 6, 16);
  g.fillRect(b - 3, view.height / 2 - 8, 6, 16);
}
