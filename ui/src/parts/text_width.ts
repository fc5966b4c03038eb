// SPDX-License-Identifier: Apache-2.0
//
// How wide a text will be, without laying it out: what decides whether a name has room. Widths are
// kept, since the same few names come again and again. Next: model/fit_names.ts.
const kFamily = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif";
const kKept = 10_000;
const widths = new Map<string, number>();
let context: CanvasRenderingContext2D | null = null;

export function textWidth(text: string, sizePx: number): number {
  const key = `${sizePx} ${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    context ??= document.createElement('canvas').getContext('2d')!;
    context.font = `${sizePx}px ${kFamily}`;
    width = context.measureText(text).width;
    if (widths.size >= kKept) widths.clear();
    widths.set(key, width);
  }
  return width;
}
