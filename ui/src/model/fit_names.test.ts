// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { fitCount, fitPath } from './fit_names';

describe('fitCount', () => {
  it.each([
    [[], 100, 0], [[50], 50, 1], [[50], 49, 0], [[50, 50], 110, 2], [[50, 50], 109, 1], [[50, 50, 50], 110, 1], [[50, 50, 50], 140, 2],
    [[90, 10, 10], 100, 0], [[90, 10, 10], 130, 3], [[10, 10, 10, 10, 90], 100, 4], [[40, 500], 80, 1], [[40, 500], 10, 0],
  ])('%s in %d', (widths, room, count) => expect(fitCount(widths, 10, room, 20)).toBe(count));
});

describe('fitPath', () => {
  const fit = (nearest: number[], room: number, count = nearest.length + 1) => fitPath(50, nearest, 10, 20, room, count);
  it('shows all where there is room', () => expect(fit([50, 50], 170)).toBe(2));
  it('cuts the middle', () => expect(fit([50, 50, 50, 50], 200)).toBe(2));
  it('always shows the nearest', () => expect(fit([500, 50], 100)).toBe(1));
  it('of a root alone shows nothing behind it', () => expect(fit([], 10, 1)).toBe(0));
  it('keeps room for what says how many are left out', () => expect(fit([50, 50, 50], 140, 9998)).toBe(1));
});
