// SPDX-License-Identifier: Apache-2.0
//
// Numbers as people read them: durations with three significant digits and one unit, counts with
// thin spaces, times of day. Nothing here answers "NaN". Next: model/time_range.ts.

const kUnits: readonly [name: string, ns: number][] = [
  ['d', 86_400e9], ['h', 3_600e9], ['min', 60e9], ['s', 1e9], ['ms', 1e6], ['us', 1e3], ['ns', 1],
];

// "4.40", "10.0", "318"; 9.996 is "10.0".
function digitsBehind(value: number): number {
  return value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
}
function threeDigits(value: number): string {
  return value.toFixed(digitsBehind(value));
}

function shortened(value: number): string {
  return threeDigits(value).replace(/\.0+$|(\.\d)0$/, '$1');
}

// "4.21 s", "10.0 ms", "318 ms"; "unknown" for what is not a number. Whole microseconds stay whole,
// "85 us": most clocks count no finer, and digits behind would be made up. `finer`: so many digits
// more than that.
export function formatDuration(ns: number, finer = 0): string {
  if (!Number.isFinite(ns)) return 'unknown';
  if (ns < 0) return `\u2212${formatDuration(-ns, finer)}`;
  const [name, size] = unitOf(ns);
  return `${(ns / size).toFixed(isWhole(ns) ? 0 : digitsBehind(ns / size) + finer)} ${name}`;
}

// What rounds up to the next unit is said in it: 999.7 us is 1.00 ms.
function unitOf(ns: number): readonly [name: string, ns: number] {
  return kUnits.find(([, size]) => ns >= size * 0.9995) ?? kUnits[kUnits.length - 1]!;
}

function isWhole(ns: number): boolean {
  const [name, size] = unitOf(ns);
  return name === 'ns' || (name === 'us' && ns % size === 0);
}

const kFinest = 16;

// For durations that stand beside each other in a text: those of them that differ look different, by as many
// digits more as that takes, `most` at most; the others stay short.
export function comparedDurations(durations: Iterable<number>, most = kFinest): (ns: number) => string {
  const alike = new Map<string, number[]>();
  for (const ns of new Set(durations)) {
    const text = formatDuration(ns);
    const list = alike.get(text);
    if (list === undefined) alike.set(text, [ns]);
    else list.push(ns);
  }
  const finer = new Map<number, number>();
  for (const list of alike.values()) {
    if (list.length === 1) continue;
    let digits = 1;
    while (digits < most && new Set(list.map((ns) => formatDuration(ns, digits))).size < list.length) digits++;
    for (const ns of list) finer.set(ns, digits);
  }
  return (ns) => formatDuration(ns, finer.get(ns) ?? 0);
}

const kFinestOfColumn = 3;

// The same for a column, where digits stand below each other: all durations of one unit have the
// same number of them behind the point, `most` more at most than the smallest needs for three.
export function columnDurations(durations: Iterable<number>, most = kFinestOfColumn): (ns: number) => string {
  const columns = new Map<string, { size: number; values: number[]; usual: number }>();
  for (const duration of new Set(durations)) {
    const ns = Math.abs(duration);
    if (!Number.isFinite(ns)) continue;
    const [name, size] = unitOf(ns);
    const column = columns.get(name) ?? { size, values: [], usual: 0 };
    column.values.push(ns);
    if (!isWhole(ns)) column.usual = Math.max(column.usual, digitsBehind(ns / size));
    columns.set(name, column);
  }
  const digits = new Map<string, number>();
  for (const [name, { size, values, usual }] of columns) {
    const differ = (count: number) => new Set(values.map((ns) => (ns / size).toFixed(count))).size === new Set(values).size;
    const finest = Math.min(usual + most, Math.round(Math.log10(size))); // no finer than nanoseconds
    let count = usual;
    while (count < finest && !differ(count)) count++;
    digits.set(name, count);
  }
  return (duration) => {
    const ns = Math.abs(duration);
    if (!Number.isFinite(ns)) return 'unknown';
    const [name, size] = unitOf(ns);
    const count = digits.get(name) ?? (isWhole(ns) ? 0 : digitsBehind(ns / size));
    return `${duration < 0 ? '\u2212' : ''}${(ns / size).toFixed(count)} ${name}`;
  };
}

const kParseUnits: Record<string, number> = {
  d: 86_400e9, h: 3_600e9, m: 60e9, min: 60e9, s: 1e9, ms: 1e6, us: 1e3, '\u00b5s': 1e3,
  '\u03bcs': 1e3, ns: 1,
};

// "1.5s", "100ms", "1m30s", "2 h" in ns; null for anything else.
export function parseDuration(text: string): number | null {
  const part = /(\d+(?:\.\d+)?|\.\d+)\s*([a-z\u00b5\u03bc]+)\s*/gy;
  const trimmed = text.trim().toLowerCase();
  let total = 0;
  while (part.lastIndex < trimmed.length) {
    const match = part.exec(trimmed);
    const unit = match === null ? undefined : kParseUnits[match[2]!];
    if (match === null || unit === undefined) return null;
    total += Number(match[1]) * unit;
  }
  return trimmed === '' ? null : total;
}

// The duration as a TraceQL literal that loses nothing: "1500ms", "85us".
export function durationLiteral(ns: number): string {
  const whole = Math.round(ns);
  for (const [name, size] of kUnits) {
    if ('d h min'.includes(name) && name !== 's') continue;
    if (whole !== 0 && whole % size === 0) return `${whole / size}${name}`;
  }
  return `${whole}ns`;
}

// 1 234 567 with narrow spaces that do not break.
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return 'unknown';
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

// "9.8 M" where every digit does not matter.
export function formatAbout(count: number): string {
  if (count < 10_000) return formatCount(count);
  if (count < 1e6) return `${shortened(count / 1e3)} k`;
  return count < 1e9 ? `${shortened(count / 1e6)} M` : `${shortened(count / 1e9)} G`;
}

export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return '';
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '<0.1 %';
  return `${percent >= 10 ? Math.round(percent) : Number(percent.toFixed(1))} %`;
}

export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < names.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${shortened(value)} ${names[unit]}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

export function nsToMs(ns: string): number {
  return Number(ns) / 1e6;
}

function two(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}

// Local time: "2026-11-21 01:26:15.123".
export function formatTime(ms: number, withDate = true): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return 'unknown';
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${withDate ? day : ''}${clock}.${two(date.getMilliseconds(), 3)}`;
}

// For a tooltip: local time with its zone, and UTC.
export function describeTime(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return 'unknown time';
  const minutes = -date.getTimezoneOffset();
  const sign = minutes < 0 ? '\u2212' : '+';
  const zone = `${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `${formatTime(ms)} ${zone}\n${date.toISOString().replace('T', ' ').replace('Z', '')} UTC`;
}

// "+40.0 ms", "\u221215 us".
export function formatShift(ns: number): string {
  return `${ns < 0 ? '' : '+'}${formatDuration(ns)}`;
}

// "12 s ago", "3 h ago", "in 2 min" for a list; a date where it is older than a week.
export function formatRelative(ms: number, nowMs: number): string {
  const age = nowMs - ms;
  const size = Math.abs(age);
  if (size >= 7 * 86_400e3) return formatTime(ms).slice(0, 16);
  const steps: [number, string][] = [[86_400e3, 'd'], [3_600e3, 'h'], [60e3, 'min'], [1e3, 's']];
  for (const [step, name] of steps) {
    if (size >= step) {
      const text = `${Math.floor(size / step)} ${name}`;
      return age >= 0 ? `${text} ago` : `in ${text}`;
    }
  }
  return 'now';
}

// Steps of a ruler: 1, 2 or 5 times a power of ten, at most `most` of them over `span`.
export function niceStep(span: number, most: number): number {
  if (!(span > 0)) return 1;
  const rough = span / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const scaled = rough / power;
  return (scaled <= 1 ? 1 : scaled <= 2 ? 2 : scaled <= 5 ? 5 : 10) * power;
}

// A ruler's label: the offset in the unit of the step, so that neighbours read alike.
export function formatTick(ns: number, step: number): string {
  if (ns === 0) return '0';
  const unit = kUnits.find(([name, size]) => 's ms us ns'.split(' ').includes(name) && step * 5 >= size);
  const [name, size] = unit ?? ['ns', 1];
  const digits = Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-9));
  return `${(ns / size).toFixed(Math.min(digits, 6))} ${name}`;
}
