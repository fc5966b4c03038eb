// SPDX-License-Identifier: Apache-2.0
//
// Traces as points: time across, duration (logarithmic) upward, size by spans. An error is red and a
// cross. (model, view) -> pixels. Next: pages/search/scatter_plot.tsx.
import type { CanvasColours } from '../app/theme';
import { formatDuration, formatTime, niceStep } from '../model/units';

export interface Point {
  atMs: number;
  durationNs: number;
  spans: number;
  error: boolean;
}

export interface ScatterScale {
  left: number;
  right: number;
  top: number;
  bottom: number;
  fromMs: number;
  toMs: number;
  lowLog: number; // log10 of ns
  highLog: number;
}

export function scatterScale(points: readonly Point[], width: number, height: number): ScatterScale {
  let fromMs = Infinity;
  let toMs = -Infinity;
  let low = Infinity;
  let high = -Infinity;
  for (const point of points) {
    fromMs = Math.min(fromMs, point.atMs);
    toMs = Math.max(toMs, point.atMs);
    const log = Math.log10(Math.max(1, point.durationNs));
    low = Math.min(low, log);
    high = Math.max(high, log);
  }
  const room = Math.max((toMs - fromMs) * 0.03, 500);
  if (high - low < 1) {
    const middle = (high + low) / 2;
    low = middle - 0.5;
    high = middle + 0.5;
  }
  return {
    left: 58, right: width - 12, top: 24, bottom: height - 20,
    fromMs: fromMs - room, toMs: toMs + room, lowLog: low - 0.12, highLog: high + 0.12,
  };
}

export function scatterX(scale: ScatterScale, ms: number): number {
  const share = (ms - scale.fromMs) / (scale.toMs - scale.fromMs);
  return scale.left + share * (scale.right - scale.left);
}
export function scatterY(scale: ScatterScale, ns: number): number {
  const share = (Math.log10(Math.max(1, ns)) - scale.lowLog) / (scale.highLog - scale.lowLog);
  return scale.bottom - share * (scale.bottom - scale.top);
}
export function scatterTime(scale: ScatterScale, x: number): number {
  const share = (x - scale.left) / (scale.right - scale.left);
  return scale.fromMs + share * (scale.toMs - scale.fromMs);
}
export function scatterDuration(scale: ScatterScale, y: number): number {
  const share = (scale.bottom - y) / (scale.bottom - scale.top);
  return 10 ** (scale.lowLog + share * (scale.highLog - scale.lowLog));
}

function radius(point: Point): number {
  return 2.5 + Math.min(5, Math.log10(1 + point.spans) * 1.3);
}

// The index of the point under the pointer, or -1.
export function pointAt(points: readonly Point[], scale: ScatterScale, x: number, y: number): number {
  let best = -1;
  let bestDistance = 100;
  points.forEach((point, index) => {
    const dx = scatterX(scale, point.atMs) - x;
    const dy = scatterY(scale, point.durationNs) - y;
    const distance = dx * dx + dy * dy;
    if (distance < bestDistance) {
      best = index;
      bestDistance = distance;
    }
  });
  return best;
}

function drawAxes(g: CanvasRenderingContext2D, scale: ScatterScale, colours: CanvasColours): void {
  g.font = '11px system-ui, sans-serif';
  g.lineWidth = 1;
  g.strokeStyle = colours.line;
  g.fillStyle = colours.dim;
  g.textBaseline = 'middle';
  g.textAlign = 'right';
  const span = scale.highLog - scale.lowLog;
  const inDecade = span > 3 ? [1] : span > 1.2 ? [1, 3] : [1, 2, 5];
  let lastY = Infinity;
  for (let decade = Math.floor(scale.lowLog); decade <= scale.highLog; decade++) {
    for (const factor of inDecade) {
      const ns = factor * 10 ** decade;
      const y = Math.round(scatterY(scale, ns)) + 0.5;
      if (y < scale.top || y > scale.bottom || lastY - y < 15) continue;
      lastY = y;
      g.beginPath();
      g.moveTo(scale.left, y);
      g.lineTo(scale.right, y);
      g.stroke();
      g.fillText(formatDuration(ns), scale.left - 7, y);
    }
  }
  g.textAlign = 'center';
  g.textBaseline = 'alphabetic';
  const step = timeStep((scale.toMs - scale.fromMs) / Math.max(2, (scale.right - scale.left) / 110));
  const offset = new Date(scale.fromMs).getTimezoneOffset() * 60_000;
  for (let at = Math.ceil((scale.fromMs - offset) / step) * step + offset; at < scale.toMs; at += step) {
    const text = formatTime(at);
    const label = step >= 86_400e3 ? text.slice(5, 10)
      : step >= 60e3 ? text.slice(11, 16) : step >= 1e3 ? text.slice(11, 19) : text.slice(14);
    const x = scatterX(scale, at);
    if (x > scale.left + 14 && x < scale.right - 14) g.fillText(label, x, scale.bottom + 15);
  }
}

function timeStep(rough: number): number {
  const steps = [1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3,
    7200e3, 10800e3, 21600e3, 43200e3, 86400e3, 172800e3, 604800e3];
  if (rough < 1e3) return niceStep(rough, 1);
  return steps.find((step) => step >= rough) ?? niceStep(rough, 1);
}

export function drawScatter(
  g: CanvasRenderingContext2D,
  points: readonly Point[],
  scale: ScatterScale,
  colours: CanvasColours,
  hover: number,
): void {
  drawAxes(g, scale, colours);
  points.forEach((point, index) => {
    const x = scatterX(scale, point.atMs);
    const y = scatterY(scale, point.durationNs);
    const r = radius(point);
    if (point.error) {
      const arm = r * 0.8;
      g.strokeStyle = colours.error;
      g.lineWidth = 1.8;
      g.beginPath();
      g.moveTo(x - arm, y - arm);
      g.lineTo(x + arm, y + arm);
      g.moveTo(x + arm, y - arm);
      g.lineTo(x - arm, y + arm);
      g.stroke();
    } else {
      g.beginPath();
      g.arc(x, y, r, 0, 2 * Math.PI);
      g.fillStyle = colours.accent;
      g.globalAlpha = 0.5;
      g.fill();
      g.globalAlpha = 1;
    }
    if (index === hover) {
      g.beginPath();
      g.arc(x, y, r + 3, 0, 2 * Math.PI);
      g.strokeStyle = colours.ink;
      g.lineWidth = 1.5;
      g.stroke();
    }
  });
}
