// SPDX-License-Identifier: Apache-2.0
//
// The time a search looks at: the last so-and-so long, two fixed times, or all time. Nanoseconds are
// bigints here, since a double cannot hold them. Next: model/search_url.ts.
import { formatTime, parseDuration } from './units';

export type TimeRange =
  | { kind: 'last'; text: string } // "1h": of a list or typed
  | { kind: 'fixed'; startNs: bigint; endNs: bigint }
  | { kind: 'all' };

export const kDefaultRange: TimeRange = { kind: 'last', text: '1h' };
export const kRangePresets: readonly string[] = ['5m', '15m', '1h', '6h', '24h', '2d', '7d', '14d'];

export function sameRange(a: TimeRange, b: TimeRange): boolean {
  if (a.kind === 'last') return b.kind === 'last' && a.text === b.text;
  if (a.kind === 'fixed') return b.kind === 'fixed' && a.startNs === b.startNs && a.endNs === b.endNs;
  return b.kind === 'all';
}

// A range in an address, both ways: ?range=1h|all or ?start=&end=; nothing where it is `otherwise`.
export function readRange(parameters: URLSearchParams, otherwise: TimeRange): TimeRange {
  const start = parameters.get('start');
  const end = parameters.get('end');
  if (start !== null && end !== null && /^\d+$/.test(start) && /^\d+$/.test(end)) {
    const startNs = BigInt(start);
    const endNs = BigInt(end);
    if (endNs > startNs) return { kind: 'fixed', startNs, endNs };
  }
  const text = parameters.get('range');
  if (text === 'all') return { kind: 'all' };
  return text !== null && parseDuration(text) !== null ? { kind: 'last', text } : otherwise;
}
export function rangeParameters(range: TimeRange, otherwise: TimeRange): URLSearchParams {
  if (sameRange(range, otherwise)) return new URLSearchParams();
  if (range.kind === 'all') return new URLSearchParams({ range: 'all' });
  if (range.kind === 'last') return new URLSearchParams({ range: range.text });
  return new URLSearchParams({ start: String(range.startNs), end: String(range.endNs) });
}

// The bounds to ask for; none where all time is meant. "last" is measured from `nowMs` and ends open:
// a span with a clock that is ahead is found as well.
export function rangeBounds(range: TimeRange, nowMs: number): { start?: string; end?: string } {
  if (range.kind === 'all') return {};
  if (range.kind === 'fixed') return { start: String(range.startNs), end: String(range.endNs) };
  const length = parseDuration(range.text) ?? 3_600e9;
  const start = BigInt(Math.round(nowMs)) * 1_000_000n - BigInt(Math.round(length));
  return { start: String(start < 0n ? 0n : start) };
}

export function describeRange(range: TimeRange): string {
  if (range.kind === 'all') return 'all time';
  if (range.kind === 'last') return `last ${range.text}`;
  const start = formatTime(Number(range.startNs) / 1e6).slice(0, 19);
  const end = formatTime(Number(range.endNs) / 1e6).slice(0, 19);
  return start.slice(0, 10) === end.slice(0, 10)
    ? `${start} to ${end.slice(11)}`
    : `${start} to ${end}`;
}

// A fixed range around known data with a little room on both sides, so that both ends are inside.
export function rangeAround(startNs: string, endNs: string): TimeRange {
  const start = BigInt(startNs);
  const end = BigInt(endNs);
  const room = (end - start) / 50n + 1_000_000_000n;
  return { kind: 'fixed', startNs: start > room ? start - room : 0n, endNs: end + room };
}

// The value of <input type="datetime-local" step="1">, both ways, in local time.
export function toLocalInput(ns: bigint): string {
  return formatTime(Number(ns / 1_000_000n)).slice(0, 19).replace(' ', 'T');
}
export function fromLocalInput(text: string): bigint | null {
  const ms = new Date(text).getTime();
  return Number.isNaN(ms) ? null : BigInt(ms) * 1_000_000n;
}
