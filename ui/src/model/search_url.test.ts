// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { queryToForm } from './query_form';
import { readSearchUrl, searchUrl, type SearchState } from './search_url';
import { tagCondition } from './tag_condition';
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
  const tag = (key: string, value: string) => tagCondition({ key, value });
  it('with everything', () => {
    const state = read(
      '/search?service=checkout&operation=POST%20%2Fpay&tags=%7B%22http.status_code%22%3A%22500%22%2C%22error%22%3A%22true%22%7D&start=1700000000000000&end=1700003600000000&minDuration=100ms&maxDuration=1.5s&limit=20&lookback=custom',
    );
    expect(state.query).toBe(
      '{ resource.service.name = "checkout" && name = "POST /pay" && duration >= 100ms && duration <= 1500ms && ' +
        `${tag('http.status_code', '500')} && ${tag('error', 'true')} }`);
    expect(queryToForm(state.query)!.tags).toEqual([{ key: 'http.status_code', value: '500' }, { key: 'error', value: 'true' }]);
    expect(state.range).toEqual({ kind: 'fixed', startNs: 1_700_000_000_000_000_000n, endNs: 1_700_003_600_000_000_000n });
    expect(state.limit).toBe(20);
  });
  it('with a lookback alone', () => {
    const state = read('/search?service=a&operation=all&lookback=2d');
    expect(state.query).toBe('{ resource.service.name = "a" }');
    expect(state.range).toEqual({ kind: 'last', text: '2d' });
  });
  it('with tags as logfmt', () => {
    expect(read('/search?tags=retries%3D2').query).toBe(`{ ${tag('retries', '2')} }`);
    expect(read('/search?tags=error%3Dtrue%20span.kind%3Dclient').query).toBe(`{ ${tag('error', 'true')} && ${tag('span.kind', 'client')} }`);
  });
  it.each([
    ['{"error":"false"}', 'error', 'false'], ['{"error":true}', 'error', 'true'], ['{"span.kind":"Server"}', 'span.kind', 'Server'],
    ['{"n":18446744073709551615}', 'n', '18446744073709551615'], ['{"a 1":-7.5}', 'a 1', '-7.5'], ['{"resource.k":"v 2"}', 'resource.k', 'v 2'],
    ['{"k":["a",7]}', 'k', '["a",7]'], ['{"otel.status_code":"ERROR"}', 'otel.status_code', 'ERROR'],
  ])('with tags as JSON: %s', (json, key, value) => {
    expect(read(`/search?tags=${encodeURIComponent(json)}`).query).toBe(`{ ${tag(key, value)} }`);
  });
  it.each([
    ['user.id:u-1', tag('user.id', 'u-1')], ['error:true', tag('error', 'true')],
    ['a:b:c', `(${tag('a', 'b:c')} || ${tag('a:b', 'c')})`], ['a\\:b:c:d', tag('a:b', 'c:d')],
    [':a:b', tag(':a', 'b')],
    ['1:2:3:4:5:6:7:8:9:10', `(${Array.from({ length: 8 }, (_, at) => tag('1:2:3:4:5:6:7:8'.slice(0, 2 * at + 1), '2:3:4:5:6:7:8:9:10'.slice(2 * at))).join(' || ')})`],
  ])('with tags as key:value: %s', (text, condition) => {
    expect(read(`/search?tag=${encodeURIComponent(text)}`).query).toBe(`{ ${condition} }`);
    expect(read(`/search?service=a&tag=x%3Ay&tag=${encodeURIComponent(text)}`).query).toBe(`{ resource.service.name = "a" && ${tag('x', 'y')} && ${condition} }`);
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
