// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readSearchUrl, searchUrl, type SearchState } from './search_url';
import { rangeAround, rangeBounds } from './time_range';

const read = (url: string) => readSearchUrl(new URL(url, 'http://weft').searchParams);

describe('the address of a search', () => {
  it('leaves defaults out', () => {
    expect(searchUrl(read('/search'))).toBe('search');
    expect(read('/')).toEqual({ query: '{}', range: { kind: 'last', text: '1h' }, limit: 50, cursor: '', atMs: 0, open: [], sort: '', absolute: false });
  });
  it.each<SearchState>([
    { query: '{ name = "a&b=c" }', range: { kind: 'all' }, limit: 20, cursor: 'x/y+z', atMs: 0, open: ['aa', 'bb'], sort: '-duration', absolute: true },
    { query: '{}', range: { kind: 'fixed', startNs: 1_700_000_000_123_456_789n, endNs: 1_700_000_001_000_000_000n }, limit: 50, cursor: '', atMs: 0, open: [], sort: '', absolute: false },
    { query: '{ status = error }', range: { kind: 'last', text: '6h' }, limit: 10_000, cursor: 'c', atMs: 1_700_000_000_000, open: [], sort: 'root', absolute: false },
  ])('comes back as it was', (state) => expect(read(searchUrl(state))).toEqual(state));
  it.each(['/search?limit=0', '/search?limit=99999', '/search?range=soon', '/search?start=5&end=4', '/search?start=x&end=y'])(
    'falls back to defaults for %s', (url) => expect(searchUrl(read(url))).toBe('search'));
});

describe("jaeger-ui's addresses", () => {
  it('with everything', () => {
    const state = read(
      '/search?service=checkout&operation=POST%20%2Fpay&tags=%7B%22http.status_code%22%3A%22500%22%2C%22error%22%3A%22true%22%7D&start=1700000000000000&end=1700003600000000&minDuration=100ms&maxDuration=1.5s&limit=20&lookback=custom',
    );
    expect(state.query).toBe(
      '{ resource.service.name = "checkout" && name = "POST /pay" && status = error && duration >= 100ms && duration <= 1500ms && .http.status_code = 500 }');
    expect(state.range).toEqual({ kind: 'fixed', startNs: 1_700_000_000_000_000_000n, endNs: 1_700_003_600_000_000_000n });
    expect(state.limit).toBe(20);
  });
  it('with a lookback alone', () => {
    const state = read('/search?service=a&operation=all&lookback=2d');
    expect(state.query).toBe('{ resource.service.name = "a" }');
    expect(state.range).toEqual({ kind: 'last', text: '2d' });
  });
  it('with tags as logfmt and as key:value', () => {
    expect(read('/search?tags=retries%3D2').query).toBe('{ .retries = 2 }');
    expect(read('/search?tag=user.id%3Au-1&tag=span.kind%3Aserver').query).toBe('{ .user.id = "u-1" && kind = server }');
  });
});

describe('time ranges', () => {
  it('last ends open', () => expect(rangeBounds({ kind: 'last', text: '1h' }, 1_700_000_000_000)).toEqual({ start: '1699996400000000000' }));
  it('around data holds both ends', () => {
    const range = rangeAround('1000000000000', '2000000000000');
    expect(range).toMatchObject({ kind: 'fixed' });
    if (range.kind !== 'fixed') return;
    expect(range.startNs < 1_000_000_000_000n && range.endNs > 2_000_000_000_000n).toBe(true);
  });
});
