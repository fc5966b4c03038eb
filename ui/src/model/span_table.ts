// SPDX-License-Identifier: Apache-2.0
//
// A trace as a table: rows in any order, or groups by service or operation with their sums.
// Next: pages/trace/table_view.tsx.
import type { TraceColumns } from './trace_columns';
import { kMatch, type VisibleRows } from './visible_rows';

export type SpanColumn = 'service' | 'name' | 'start' | 'duration' | 'self' | 'critical' | 'depth';

export interface Sort {
  column: string;
  down: boolean;
}

// "-duration": falling.
export function readSort(text: string, fallback: string): Sort {
  const sort = text === '' ? fallback : text;
  return sort.startsWith('-') ? { column: sort.slice(1), down: true } : { column: sort, down: false };
}

// The rows that pass the filter, ordered; equal ones stay in pre-order.
export function sortedRows(columns: TraceColumns, rows: VisibleRows, column: string, down: boolean): Uint32Array {
  const order = new Uint32Array(columns.count);
  let count = 0;
  for (let row = 0; row < columns.count; row++) {
    if (rows.marks[row] === kMatch) order[count++] = row;
  }
  const picked = order.subarray(0, count);
  const byText = column === 'service' || column === 'name';
  const rankOf = (texts: readonly string[]) => {
    const sorted = texts.map((text, index) => ({ text, index })).sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
    const ranks = new Float64Array(texts.length);
    sorted.forEach((entry, rank) => (ranks[entry.index] = rank));
    return ranks;
  };
  const ranks = byText ? rankOf(column === 'service' ? columns.header.services : columns.header.names) : null;
  const keys = new Float64Array(columns.count);
  for (const row of picked) {
    switch (column) {
      case 'service': keys[row] = ranks![columns.service[row]!]!; break;
      case 'name': keys[row] = ranks![columns.name[row]!]!; break;
      case 'duration': keys[row] = columns.duration[row]!; break;
      case 'self': keys[row] = columns.self[row]!; break;
      case 'critical': keys[row] = columns.critical[row]!; break;
      case 'depth': keys[row] = columns.depth[row]!; break;
      default: keys[row] = columns.hasTime(row) ? columns.startOf(row) : Infinity; // what has no time comes last
    }
  }
  const sign = down ? -1 : 1;
  return picked.sort((a, b) => (keys[a]! === keys[b]! ? a - b : sign * (keys[a]! - keys[b]!)));
}

export interface SpanGroup {
  service: number;
  name: number; // -1 where the group is a service
  spans: number;
  errors: number;
  total: number;
  self: number;
  critical: number;
  longest: number;
  longestRow: number;
}

export function groupSpans(columns: TraceColumns, rows: VisibleRows, byOperation: boolean): SpanGroup[] {
  const groups = new Map<number, SpanGroup>();
  for (let row = 0; row < columns.count; row++) {
    if (rows.marks[row] !== kMatch) continue;
    const service = columns.service[row]!;
    const name = byOperation ? columns.name[row]! : -1;
    const key = byOperation ? service * columns.header.names.length + name : service;
    let group = groups.get(key);
    if (group === undefined) {
      group = { service, name, spans: 0, errors: 0, total: 0, self: 0, critical: 0, longest: -1, longestRow: row };
      groups.set(key, group);
    }
    group.spans++;
    if (columns.isError(row)) group.errors++;
    group.total += columns.duration[row]!;
    group.self += columns.self[row]!;
    group.critical += columns.critical[row]!;
    if (columns.duration[row]! > group.longest) {
      group.longest = columns.duration[row]!;
      group.longestRow = row;
    }
  }
  return [...groups.values()];
}
