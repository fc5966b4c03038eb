// SPDX-License-Identifier: Apache-2.0
//
// Which of several names have room on a line, given their widths: a name stands whole or is left out,
// never cut. Next: parts/text_width.ts.

// How many of the first names fit; where not all do, `moreWidth` ("+3") must fit behind them.
export function fitCount(widths: readonly number[], gap: number, room: number, moreWidth: number): number {
  const sums = [0];
  for (const width of widths) sums.push(sums[sums.length - 1]! + (sums.length > 1 ? gap : 0) + width);
  if (sums[widths.length]! <= room) return widths.length;
  let count = widths.length - 1;
  while (count > 0 && sums[count]! + gap + moreWidth > room) count--;
  return Math.max(0, count);
}

// Of a path from the root down: how many names to show at its end, the first one being kept, so that
// the rest is cut out of the middle. `nearest` are the widths of the last names, the last one first.
export function fitPath(
  rootWidth: number, nearest: readonly number[], between: number, cutWidth: number, room: number, count: number,
): number {
  let left = room - rootWidth;
  let shown = 0;
  while (shown < Math.min(nearest.length, count - 1)) {
    const needs = nearest[shown]! + between;
    const restCut = shown + 1 < count - 1 ? cutWidth + between : 0;
    if (shown > 0 && needs + restCut > left) break;
    left -= needs;
    shown++;
  }
  return shown;
}
