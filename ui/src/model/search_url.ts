// SPDX-License-Identifier: Apache-2.0
//
// The state of the search page in its address, relative to the page's <base>:
// search?q=&range=&start=&end=&limit=&cursor=&at=&open=&sort=&times=absolute.
// What has its default is left out. A cursor belongs to one time range, so a later page of "last 1h"
// says in `at` from when that hour is counted. Next: pages/search/search_page.tsx.
import { isJaegerSearch, readJaegerSearch } from './jaeger_links';
import { kDefaultRange, rangeParameters, readRange, type TimeRange } from './time_range';

export const kDefaultLimit = 50;
export const kLimitMax = 10_000;

export interface SearchState {
  query: string;
  range: TimeRange;
  limit: number;
  cursor: string;
  atMs: number; // with a cursor: the moment that "last" is counted from; 0: now
  open: string[]; // traces whose matches are unfolded
  sort: string; // of the page of results: "-duration"; "": newest first, as the server gives them
  absolute: boolean; // times as dates, not as "3 min ago"
}

export function readSearchUrl(parameters: URLSearchParams): SearchState {
  if (isJaegerSearch(parameters)) {
    const jaeger = readJaegerSearch(parameters);
    const limit = Math.min(jaeger.limit ?? kDefaultLimit, kLimitMax);
    return { query: jaeger.query, range: jaeger.range, limit, cursor: '', atMs: 0, open: [], sort: '', absolute: false };
  }
  const limit = Number(parameters.get('limit') ?? kDefaultLimit);
  const cursor = parameters.get('cursor') ?? '';
  const at = parameters.get('at') ?? '';
  return {
    query: parameters.get('q') ?? '{}',
    range: readRange(parameters, kDefaultRange),
    limit: Number.isInteger(limit) && limit >= 1 && limit <= kLimitMax ? limit : kDefaultLimit,
    cursor,
    atMs: cursor !== '' && /^\d{1,15}$/.test(at) ? Number(at) : 0,
    open: (parameters.get('open') ?? '').split(',').filter((id) => id !== ''),
    sort: parameters.get('sort') ?? '',
    absolute: parameters.get('times') === 'absolute',
  };
}

export function searchUrl(state: Partial<SearchState>): string {
  const range = state.range ?? kDefaultRange;
  const parameters = new URLSearchParams();
  if (state.query !== undefined && state.query.trim() !== '' && state.query.trim() !== '{}') {
    parameters.set('q', state.query);
  }
  for (const [name, value] of rangeParameters(range, kDefaultRange)) parameters.set(name, value);
  if (state.limit !== undefined && state.limit !== kDefaultLimit) {
    parameters.set('limit', String(state.limit));
  }
  if (state.cursor) {
    parameters.set('cursor', state.cursor);
    if (state.atMs && range.kind === 'last') parameters.set('at', String(state.atMs));
  }
  if (state.open !== undefined && state.open.length > 0) parameters.set('open', state.open.join(','));
  if (state.sort) parameters.set('sort', state.sort);
  if (state.absolute) parameters.set('times', 'absolute');
  const text = parameters.toString();
  return `search${text === '' ? '' : `?${text}`}`;
}
