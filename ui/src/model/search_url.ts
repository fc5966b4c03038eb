// SPDX-License-Identifier: Apache-2.0
//
// The state of the search page in its address: /search?q=&range=&start=&end=&limit=&cursor=&at=&open=.
// What has its default is left out. A cursor belongs to one time range, so a later page of "last 1h"
// says in `at` from when that hour is counted. Next: pages/search/search_page.tsx.
import { isJaegerSearch, readJaegerSearch } from './jaeger_links';
import { kDefaultRange, sameRange, type TimeRange } from './time_range';
import { parseDuration } from './units';

export const kDefaultLimit = 50;
export const kLimitMax = 10_000;

export interface SearchState {
  query: string;
  range: TimeRange;
  limit: number;
  cursor: string;
  atMs: number; // with a cursor: the moment that "last" is counted from; 0: now
  open: string[]; // traces whose matches are unfolded
}

function readRange(parameters: URLSearchParams): TimeRange {
  const start = parameters.get('start');
  const end = parameters.get('end');
  if (start !== null && end !== null && /^\d+$/.test(start) && /^\d+$/.test(end)) {
    const startNs = BigInt(start);
    const endNs = BigInt(end);
    if (endNs > startNs) return { kind: 'fixed', startNs, endNs };
  }
  const text = parameters.get('range');
  if (text === 'all') return { kind: 'all' };
  return text !== null && parseDuration(text) !== null ? { kind: 'last', text } : kDefaultRange;
}

export function readSearchUrl(parameters: URLSearchParams): SearchState {
  if (isJaegerSearch(parameters)) {
    const jaeger = readJaegerSearch(parameters);
    const limit = Math.min(jaeger.limit ?? kDefaultLimit, kLimitMax);
    return { query: jaeger.query, range: jaeger.range, limit, cursor: '', atMs: 0, open: [] };
  }
  const limit = Number(parameters.get('limit') ?? kDefaultLimit);
  const cursor = parameters.get('cursor') ?? '';
  const at = parameters.get('at') ?? '';
  return {
    query: parameters.get('q') ?? '{}',
    range: readRange(parameters),
    limit: Number.isInteger(limit) && limit >= 1 && limit <= kLimitMax ? limit : kDefaultLimit,
    cursor,
    atMs: cursor !== '' && /^\d{1,15}$/.test(at) ? Number(at) : 0,
    open: (parameters.get('open') ?? '').split(',').filter((id) => id !== ''),
  };
}

export function searchUrl(state: Partial<SearchState>): string {
  const parameters = new URLSearchParams();
  if (state.query !== undefined && state.query.trim() !== '' && state.query.trim() !== '{}') {
    parameters.set('q', state.query);
  }
  const range = state.range ?? kDefaultRange;
  if (range.kind === 'fixed') {
    parameters.set('start', String(range.startNs));
    parameters.set('end', String(range.endNs));
  } else if (range.kind === 'all') {
    parameters.set('range', 'all');
  } else if (!sameRange(range, kDefaultRange)) {
    parameters.set('range', range.text);
  }
  if (state.limit !== undefined && state.limit !== kDefaultLimit) {
    parameters.set('limit', String(state.limit));
  }
  if (state.cursor) {
    parameters.set('cursor', state.cursor);
    if (state.atMs && range.kind === 'last') parameters.set('at', String(state.atMs));
  }
  if (state.open !== undefined && state.open.length > 0) parameters.set('open', state.open.join(','));
  const text = parameters.toString();
  return `/search${text === '' ? '' : `?${text}`}`;
}
