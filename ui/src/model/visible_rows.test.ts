// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { TraceChunk, TraceHeader } from '../api/types';
import { groupSpans, sortedRows } from './span_table';
import { TraceColumns } from './trace_columns';
import { kContext, kHidden, kMatch, kNoCollapse, kNoFilter, reveal, VisibleRows } from './visible_rows';

// parents: -1 root; a span's duration is 10 x its row + 1.
function trace(parents: number[], part: Partial<Record<keyof Omit<TraceChunk, 'from' | 'id'>, number[]>> = {}, chunks = 1, given: Partial<TraceHeader> = {}): TraceColumns {
  const n = parents.length;
  const zeros = parents.map(() => 0);
  const header: TraceHeader = {
    traceId: 'ab', spans: n, startNs: '1000', endNs: '2000', rootService: 'a', rootName: 'r', rootMissing: false, depth: 3, errors: 0, logs: 0, duplicates: 0,
    skewCorrected: 0, services: ['a', 'b', 'c'], names: ['x', 'y', 'z'], warnings: [], criticalPath: [[1, 5, 9], [0, 0, 5], [1, 1, 2]], selfByService: [],
    ...given,
  };
  const columns = new TraceColumns(header);
  const size = Math.ceil(n / chunks);
  for (let from = 0; from < n; from += size) {
    const cut = <T>(list: T[]) => list.slice(from, from + size);
    columns.append({
      from, id: cut(parents.map((_, row) => `id${row}`)), parent: cut(parents), start: cut(parents.map((_, row) => row)),
      duration: cut(parents.map((_, row) => 10 * row + 1)), service: cut(part.service ?? zeros), name: cut(part.name ?? zeros), kind: cut(zeros),
      status: cut(part.status ?? zeros), flags: cut(part.flags ?? zeros), self: cut(part.self ?? zeros), critical: cut(part.critical ?? zeros), skew: cut(part.skew ?? zeros),
      ...(part.selfReceived ? { selfReceived: cut(part.selfReceived), criticalReceived: cut(part.criticalReceived!) } : {}),
      logs: cut(zeros), events: cut(zeros),
    });
    columns.index();
  }
  return columns;
}

// 0 ─┬ 1 ─┬ 2
//    │    └ 3 ─ 4
//    └ 5 ─ 6          7 (another root)
const kParents = [-1, 0, 1, 1, 3, 0, 5, -1];
const shown = (rows: VisibleRows) => [...rows.rows.subarray(0, rows.count)];

describe('TraceColumns', () => {
  it.each([1, 2, 3, 8])('knows depth and subtrees, in %d chunks', (chunks) => {
    const columns = trace(kParents, {}, chunks);
    expect([...columns.depth]).toEqual([0, 1, 2, 2, 3, 1, 2, 0]);
    expect([...columns.end]).toEqual([7, 5, 3, 5, 5, 7, 7, 8]);
    expect(columns.idOf(6)).toBe('id6');
    expect(columns.rowOf('id4')).toBe(4);
    expect(columns.rowOf('no')).toBe(-1);
  });
  it('refuses rows that do not follow', () => {
    const columns = trace(kParents);
    expect(() => columns.append({ from: 3, parent: [0] } as unknown as TraceChunk)).toThrow(/do not follow/);
  });
  it('finds the critical pieces of a row in order', () => {
    const columns = trace(kParents);
    const at = columns.firstPiece(1);
    expect([columns.pieceStart[at], columns.pieceStart[at + 1]]).toEqual([1, 5]);
    expect(columns.isPieceOf(at + 2, 1)).toBe(false);
    expect(columns.isPieceOf(columns.firstPiece(7), 7)).toBe(false);
  });
  describe('shows both forms of time', () => {
    const header: Partial<TraceHeader> = {
      shown: [-39, 1000], criticalPath: [[0, 0, 900], [1, 10, 110]], selfByService: [[0, 900], [1, 100]], skewCorrected: 1,
      asReceived: { criticalPath: [[0, 0, 1000]], selfByService: [[0, 1000]] },
    };
    const columns = trace([-1, 0], { skew: [0, -40], critical: [900, 100], self: [900, 100], criticalReceived: [1000, 0], selfReceived: [950, 11] }, 1, header);
    const seen = () => ({
      start: columns.startOf(1), offset: columns.offsetOf(1), full: [columns.fullStart, columns.fullEnd], critical: [...columns.critical], self: [...columns.self],
      path: columns.pathNs, shift: columns.shiftOf(1), pieces: columns.hasPiece(1, 2), services: columns.selfByService,
    });
    it('corrected: times, extent, own time, path and its length', () => {
      columns.showSkew(true);
      expect(seen()).toEqual({
        start: -39, offset: 0, full: [-39, 1000], critical: [900, 100], self: [900, 100], path: 1000, shift: -40, pieces: true, services: [[0, 900], [1, 100]],
      });
    });
    it('as received: all of them anew', () => {
      columns.showSkew(false);
      expect(seen()).toEqual({
        start: 1, offset: 1, full: [0, 1000], critical: [1000, 0], self: [950, 11], path: 1000, shift: 0, pieces: false, services: [[0, 1000]],
      });
    });
    it('texts made for one form are not shown for the other', () => {
      expect(columns.labelOf(1, 1, () => 'received')).toBe('received');
      columns.showSkew(true);
      expect(columns.labelOf(1, 1, () => 'corrected')).toBe('corrected');
    });
    it('starts later than what was received where the first span was moved', () => {
      const late = trace([-1], { skew: [50] }, 1, { shown: [50, 1050] });
      expect([late.fullStart, late.offsetOf(0)]).toEqual([50, 0]);
    });
    it('are one where the server says that nothing was moved', () => {
      const still = trace([-1, 0], { self: [5, 6], critical: [7, 8] }, 1, { asReceived: null });
      still.showSkew(false);
      expect([...still.self, ...still.critical]).toEqual([5, 6, 7, 8]);
    });
  });
  it('knows what a parent does not wait for, and what has no time', () => {
    const columns = trace([-1, 0, 0, 0, 0], { flags: [0, 8, 16, 32, 7] });
    expect([0, 1, 2, 3, 4].map((row) => columns.isWaitedFor(row))).toEqual([true, false, false, false, true]);
    expect([0, 1, 2, 3, 4].map((row) => columns.hasTime(row))).toEqual([true, true, true, false, true]);
  });
  it('counts more levels than sixteen bits hold', () => {
    const columns = trace(Array.from({ length: 70_000 }, (_, row) => row - 1));
    expect(columns.depth[69_999]).toBe(69_999);
  });
});

describe('VisibleRows', () => {
  const columns = trace(kParents, { service: [0, 1, 1, 2, 2, 0, 0, 0], status: [0, 0, 0, 0, 2, 0, 0, 0] });
  const rows = new VisibleRows();
  it('shows everything', () => {
    rows.rebuild(columns, kNoCollapse, kNoFilter);
    expect(shown(rows)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
  it('jumps over collapsed subtrees', () => {
    rows.rebuild(columns, { ...kNoCollapse, toggled: new Set([1]) }, kNoFilter);
    expect(shown(rows)).toEqual([0, 1, 5, 6, 7]);
    expect(rows.positionOf(4)).toBe(1);
    expect([rows.shows(4), rows.shows(5)]).toEqual([false, true]);
  });
  it('collapses by level, but for toggled rows', () => {
    rows.rebuild(columns, { ...kNoCollapse, level: 1 }, kNoFilter);
    expect(shown(rows)).toEqual([0, 1, 5, 7]);
    rows.rebuild(columns, { ...kNoCollapse, level: 1, toggled: new Set([1]) }, kNoFilter);
    expect(shown(rows)).toEqual([0, 1, 2, 3, 5, 7]);
    rows.rebuild(columns, { ...kNoCollapse, level: 0 }, kNoFilter);
    expect(shown(rows)).toEqual([0, 7]);
  });
  it('keeps the way to what a filter matches', () => {
    rows.rebuild(columns, kNoCollapse, { ...kNoFilter, errorsOnly: true });
    expect(shown(rows)).toEqual([0, 1, 3, 4]);
    expect([rows.marks[3], rows.marks[4], rows.marks[5], rows.matched]).toEqual([kContext, kMatch, kHidden, 1]);
    rows.rebuild(columns, kNoCollapse, { ...kNoFilter, services: new Set([2]) });
    expect(shown(rows)).toEqual([0, 1, 3, 4]);
    rows.rebuild(columns, kNoCollapse, { ...kNoFilter, services: new Set() });
    expect(rows.count).toBe(0);
  });
  it('reveals a row by opening the way to it', () => {
    const collapse = reveal(columns, { ...kNoCollapse, level: 0, toggled: new Set([7]) }, 4);
    rows.rebuild(columns, collapse, kNoFilter);
    expect(rows.shows(4)).toBe(true);
  });
});

describe('runs of like siblings', () => {
  // Root with twelve alike, each with one child, then another one.
  const parents = [-1];
  for (let i = 0; i < 12; i++) parents.push(0, parents.length);
  parents.push(0);
  const name = parents.map((parent, row) => (row === 0 || row === parents.length - 1 ? 2 : parent === 0 ? 0 : 1));
  const columns = trace(parents, { name });
  const rows = new VisibleRows();
  it('stand as one line', () => {
    rows.rebuild(columns, kNoCollapse, kNoFilter);
    expect(shown(rows)).toEqual([0, 1, 25]);
    expect(rows.runs[1]).toBe(12);
    expect(columns.foldEnd[1]).toBe(25);
  });
  it('unfold, and not at all where folding is off or a filter is on', () => {
    rows.rebuild(columns, { ...kNoCollapse, unfolded: new Set([1]) }, kNoFilter);
    expect(rows.count).toBe(26);
    rows.rebuild(columns, { ...kNoCollapse, fold: false }, kNoFilter);
    expect(rows.count).toBe(26);
  });
  it('open for a row within', () => {
    rows.rebuild(columns, reveal(columns, kNoCollapse, 8), kNoFilter);
    expect(rows.shows(8)).toBe(true);
  });
});

describe('table', () => {
  it('puts what has no time behind what has one', () => {
    const columns = trace([-1, 0, 0], { flags: [0, 32, 0] });
    const rows = new VisibleRows();
    rows.rebuild(columns, kNoCollapse, kNoFilter);
    expect([...sortedRows(columns, rows, 'start', false)]).toEqual([0, 2, 1]);
  });
  const columns = trace(kParents, { service: [0, 1, 1, 2, 2, 0, 0, 0], status: [0, 0, 0, 0, 2, 0, 0, 0] });
  const rows = new VisibleRows();
  rows.rebuild(columns, kNoCollapse, kNoFilter);
  it('sorts, and keeps pre-order among equals', () => {
    expect([...sortedRows(columns, rows, 'duration', true)]).toEqual([7, 6, 5, 4, 3, 2, 1, 0]);
    expect([...sortedRows(columns, rows, 'service', true)]).toEqual([3, 4, 1, 2, 0, 5, 6, 7]);
    expect([...sortedRows(columns, rows, 'depth', false)].slice(0, 2)).toEqual([0, 7]);
  });
  it('groups', () => {
    const groups = groupSpans(columns, rows, false);
    expect(groups.map((group) => [group.service, group.spans, group.errors, group.total, group.longestRow])).toEqual([
      [0, 4, 0, 1 + 51 + 61 + 71, 7], [1, 2, 0, 11 + 21, 2], [2, 2, 1, 31 + 41, 4],
    ]);
  });
});

it('a million rows rebuild fast enough for a frame or two', () => {
  const n = 1_000_000;
  const parents = Array.from({ length: n }, (_, row) => (row === 0 ? -1 : row % 10 === 1 ? 0 : row - 1 - ((row - 2) % 10)));
  const columns = trace(parents);
  const rows = new VisibleRows();
  rows.rebuild(columns, { ...kNoCollapse, fold: false }, kNoFilter);
  const before = performance.now();
  rows.rebuild(columns, { ...kNoCollapse, fold: false, toggled: new Set([1]) }, kNoFilter);
  expect(performance.now() - before).toBeLessThan(200);
  expect(rows.count).toBe(n - 9);
});
