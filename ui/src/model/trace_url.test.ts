// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { decodeRows, encodeRows, readTraceUrl, traceUrl, type TraceUrlState } from './trace_url';

const read = (url: string) => readTraceUrl(new URL(url, 'http://weft').searchParams);

describe('the address of a trace', () => {
  it('leaves defaults out', () => expect(traceUrl('ab', read('/trace/ab'))).toBe('trace/ab'));
  it('comes back as it was', () => {
    const state: TraceUrlState = {
      view: 'table', span: '00ff00ff00ff00ff', from: -5, to: 4_000_000_000, level: 3, toggled: [0, 7, 99_999], unfolded: [12], fold: false, find: 'time out&',
      services: ['a,b', 'c d'], errorsOnly: true, criticalOnly: true, strongPath: true, skew: false, group: 'operation', sort: '-self',
    };
    expect(read(traceUrl('ab', state))).toEqual(state);
  });
  it("knows jaeger-ui's uiFind", () => expect(read('/trace/ab?uiFind=error').find).toBe('error'));
  it.each(['?from=5', '?from=9&to=3', '?from=x&to=y', '?view=sideways', '?level=deep'])('ignores nonsense: %s', (query) =>
    expect(traceUrl('ab', read(`/trace/ab${query}`))).toBe('trace/ab'));
  it('writes rows in few characters', () => {
    expect(decodeRows(encodeRows([5, 100_000, 3]))).toEqual([3, 5, 100_000]);
    expect(encodeRows([])).toBe('');
    expect(decodeRows('!.zz.')).toEqual([1295]);
    expect(decodeRows(null)).toEqual([]);
  });
});
