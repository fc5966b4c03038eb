// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  columnDurations, comparedDurations, durationLiteral, formatAbout, formatBytes, formatCount, formatDuration, formatRelative, formatShare, formatTick, niceStep,
  parseDuration,
} from './units';

describe('formatDuration', () => {
  it.each([
    [0, '0 ns'], [7, '7 ns'], [999, '999 ns'], [1000, '1 us'], [85_000, '85 us'], [85_400, '85.4 us'], [318e6, '318 ms'],
    [318.4e6, '318 ms'], [999.7e3, '1.00 ms'], [999.4e3, '999 us'], [4.213e9, '4.21 s'], [4.4e9, '4.40 s'], [10e6, '10.0 ms'], [9.996e6, '10.0 ms'], [99.96e6, '100 ms'], [59.99e9, '1.00 min'], [60e9, '1.00 min'], [95e9, '1.58 min'],
    [5400e9, '1.50 h'], [86_400e9 * 3, '3.00 d'], [-1500, '\u22121.50 us'],
  ])('%d ns is %s', (ns, text) => expect(formatDuration(ns)).toBe(text));
  it('never answers NaN', () => {
    expect(formatDuration(NaN)).toBe('unknown');
    expect(formatDuration(Infinity)).toBe('unknown');
  });
  it('has three significant digits and one unit over the whole range', () => {
    for (let ns = 1; ns < 1e17; ns = ns * 1.37 + 1) {
      const text = formatDuration(ns);
      expect(text).toMatch(/^\d+(\.\d+)? (ns|us|ms|s|min|h|d)$/);
      if (/ (ns|us|d)$/.test(text)) continue;
      expect(text.replace(/[^\d]/g, '').length).toBe(3);
    }
  });
});

describe('comparedDurations', () => {
  const shown = (...list: number[]) => list.map(comparedDurations(list));
  it.each([
    [[1.231e9, 1.234e9], ['1.231 s', '1.234 s']],
    [[1.231e9, 1.234e9, 4.5e9], ['1.231 s', '1.234 s', '4.50 s']],
    [[1.2e9, 1.2e9], ['1.20 s', '1.20 s']],
    [[318.2e6, 318.4e6, 319e6], ['318.2 ms', '318.4 ms', '319 ms']],
    [[1_000_000_001, 1_000_000_002], ['1.000000001 s', '1.000000002 s']],
    [[999.7e3, 1.002e6], ['1.000 ms', '1.002 ms']],
    [[85_000, 85_004], ['85 us', '85.0 us']],
    [[95.001e9, 95.002e9], ['1.58335 min', '1.58337 min']],
    [[], []],
  ])('%s', (list, texts) => expect(shown(...list)).toEqual(texts));
  it('shows whatever differs as different', () => {
    for (let base = 3; base < 9e15; base = Math.floor(base * 2.3) + 1) {
      const list = [base, base + 1, base + 2, Math.floor(base * 1.001) + 3];
      expect(new Set(shown(...list)).size, String(base)).toBe(new Set(list).size);
    }
  });
  it('knows what is no number', () => expect(shown(NaN)).toEqual(['unknown']));
});

describe('columnDurations', () => {
  const shown = (list: number[], most?: number) => list.map(columnDurations(list, most));
  it.each([
    [[4.08e9, 4.2292e9, 4.26e9], ['4.08 s', '4.23 s', '4.26 s']],
    [[4.0801e9, 4.0802e9, 4.26e9], ['4.0801 s', '4.0802 s', '4.2600 s']],
    [[4.26e9, 10.5e9], ['4.26 s', '10.50 s']],
    [[4.26e9, 318e6, 4.4e6, 85e3, 7], ['4.26 s', '318.00 ms', '4.40 ms', '85 us', '7 ns']],
    [[318e6, 319e6], ['318 ms', '319 ms']],
    [[85_000, 85_400, 100_000], ['85.0 us', '85.4 us', '100.0 us']],
    [[1_000_000_001, 1_000_000_002, 2e9], ['1.00000 s', '1.00000 s', '2.00000 s']],
    [[1.2e9, 1.2e9], ['1.20 s', '1.20 s']],
    [[999.7e3, 1.002e6], ['1.000 ms', '1.002 ms']],
    [[59.99e9, 95e9], ['1.00 min', '1.58 min']],
    [[0, 5], ['0 ns', '5 ns']],
    [[-1500, 1500], ['\u22121.50 us', '1.50 us']],
    [[NaN, 1e6], ['unknown', '1.00 ms']],
    [[1400.1, 1400.2], ['1.400 us', '1.400 us']],
    [[], []],
  ])('%s', (list, texts) => expect(shown(list)).toEqual(texts));
  it('has as many digits more as it may', () => expect(shown([4.0801e9, 4.0802e9], 1)).toEqual(['4.080 s', '4.080 s']));
  it('has one number of digits a unit, for any durations', () => {
    for (let base = 3; base < 9e15; base = Math.floor(base * 1.7) + 1) {
      const digits = new Map<string, number>();
      for (const text of shown([base, base + 1, base * 3, Math.floor(base * 1.0007), base * 40])) {
        const [number, unit] = text.split(' ') as [string, string];
        const behind = number.split('.')[1]?.length ?? 0;
        expect(digits.get(unit) ?? behind, text).toBe(behind);
        expect(behind).toBeLessThanOrEqual(5);
        digits.set(unit, behind);
      }
    }
  });
});

describe('parseDuration', () => {
  it.each([
    ['100ms', 100e6], ['1.5s', 1.5e9], ['1m30s', 90e9], ['2 h', 7200e9], ['85us', 85e3], ['85\u00b5s', 85e3], ['.5s', 5e8], ['3d', 259_200e9],
  ])('%s', (text, ns) => expect(parseDuration(text)).toBeCloseTo(ns, 3));
  it.each(['', 'ms', '10', '10 parsecs', '1s x', '-1s'])('refuses "%s"', (text) => expect(parseDuration(text)).toBeNull());
  it('reads what durationLiteral writes', () => {
    for (const ns of [1, 999, 1000, 1500, 1e6, 1.5e9, 60e9, 3601e9, 123_456_789]) {
      expect(parseDuration(durationLiteral(ns))).toBeCloseTo(ns, 0);
      expect(durationLiteral(ns)).toMatch(/^\d+(s|ms|us|ns)$/);
    }
  });
});

describe('counts and shares', () => {
  it('groups digits by narrow spaces', () => expect(formatCount(1_234_567)).toBe('1\u202f234\u202f567'));
  it('shortens', () => expect([formatAbout(312), formatAbout(9_812_345), formatAbout(106_400)]).toEqual(['312', '9.81 M', '106 k']));
  it('shares', () => expect([formatShare(0.974), formatShare(0.0004), formatShare(0), formatShare(NaN)]).toEqual(['97 %', '<0.1 %', '0 %', '']));
  it('bytes', () => expect([formatBytes(17), formatBytes(1536), formatBytes(12_345_678)]).toEqual(['17 B', '1.5 KiB', '11.8 MiB']));
});

describe('times', () => {
  it('relative', () => {
    const now = 1_700_000_000_000;
    expect(formatRelative(now - 400, now)).toBe('now');
    expect(formatRelative(now - 12_000, now)).toBe('12 s ago');
    expect(formatRelative(now + 130_000, now)).toBe('in 2 min');
    expect(formatRelative(now - 30 * 86_400e3, now)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d$/);
  });
});

describe('ruler', () => {
  it('steps are 1, 2 or 5 times a power of ten and few enough', () => {
    for (let span = 1; span < 1e15; span *= 3.7) {
      const step = niceStep(span, 10);
      expect(span / step).toBeLessThanOrEqual(10.0001);
      expect(Number((step / 10 ** Math.floor(Math.log10(step) + 1e-9)).toFixed(6))).toBeOneOf([1, 2, 5]);
    }
  });
  it('labels read alike', () => {
    expect([0, 5e8, 1e9].map((ns) => formatTick(ns, 5e8))).toEqual(['0', '0.5 s', '1.0 s']);
    expect(formatTick(20e6, 10e6)).toBe('20 ms');
    expect(formatTick(1200, 100)).toBe('1200 ns');
  });
});
