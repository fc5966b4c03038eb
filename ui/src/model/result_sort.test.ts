// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { TraceSummary } from '../api/types';
import { describeSort, readResultSort, sortTraces } from './result_sort';

const trace = (id: string, part: Partial<TraceSummary>): TraceSummary => ({
  traceId: id, rootService: 's', rootName: 'n', rootMissing: false, startNs: '0', durationNs: 0, spans: 1, errors: 0, services: [], matched: 1, matches: [], ...part,
});
const kPage = [
  trace('a', { startNs: '1700000000000000003', durationNs: 5, spans: 2, errors: 1, matched: 4, rootName: 'b' }),
  trace('b', { startNs: '1700000000000000002', durationNs: 9, spans: 2, errors: 0, matched: 1, rootName: 'a', services: [{ name: 'x', spans: 1, errors: 0 }] }),
  trace('c', { startNs: '1700000000000000001', durationNs: 7, spans: 1, errors: 3, matched: 2, rootName: 'B' }),
];
const order = (text: string) => sortTraces(kPage, readResultSort(text)).map((one) => one.traceId).join('');

describe('the order of results', () => {
  it.each([
    ['', 'abc'], ['-started', 'abc'], ['started', 'cba'], ['-duration', 'bca'], ['duration', 'acb'], ['-spans', 'abc'], ['spans', 'cab'], ['-errors', 'cab'],
    ['-matched', 'acb'], ['root', 'cba'], ['-services', 'bac'], ['nonsense', 'abc'],
  ])('%s', (text, expected) => expect(order(text)).toBe(expected));
  it('is said in words', () => {
    for (const column of ['matched', 'started', 'root', 'duration', 'spans', 'errors', 'services']) {
      expect(describeSort(readResultSort(column))).not.toBe(describeSort(readResultSort(`-${column}`)));
    }
  });
});
