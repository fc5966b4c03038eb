// SPDX-License-Identifier: Apache-2.0
//
// The order of one page of results by any of its columns. The server gives the newest first, and the
// sort is of the page that it gave. Next: pages/search/result_table.tsx.
import type { TraceSummary } from '../api/types';
import { readSort, type Sort } from './span_table';

export const kNewestFirst = '-started';

function keyOf(trace: TraceSummary, column: string): number | bigint | string {
  switch (column) {
    case 'matched': return trace.matched;
    case 'root': return `${trace.rootName}\n${trace.rootService}`;
    case 'duration': return trace.durationNs;
    case 'spans': return trace.spans;
    case 'errors': return trace.errors;
    case 'services': return trace.services.length;
    default: return BigInt(trace.startNs);
  }
}

// Equal ones stay in the server's order.
export function sortTraces(traces: readonly TraceSummary[], sort: Sort): readonly TraceSummary[] {
  if (sort.column === 'started' && sort.down) return traces;
  const keys = new Map(traces.map((trace) => [trace, keyOf(trace, sort.column)]));
  const sign = sort.down ? -1 : 1;
  return [...traces].sort((a, b) => {
    const [x, y] = [keys.get(a)!, keys.get(b)!];
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
}

const kWords: Record<string, [rising: string, falling: string]> = {
  matched: ['fewest matches first', 'most matches first'], started: ['oldest first', 'newest first'], root: ['root A to Z', 'root Z to A'],
  duration: ['shortest first', 'longest first'], spans: ['fewest spans first', 'most spans first'],
  errors: ['fewest errors first', 'most errors first'], services: ['fewest services first', 'most services first'],
};

export function readResultSort(text: string): Sort {
  const sort = readSort(text, kNewestFirst);
  return sort.column in kWords ? sort : readSort('', kNewestFirst);
}

export function describeSort(sort: Sort): string {
  return kWords[sort.column]![sort.down ? 1 : 0];
}
