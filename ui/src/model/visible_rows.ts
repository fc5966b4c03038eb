// SPDX-License-Identifier: Apache-2.0
//
// Which rows of a trace are on show, in order: collapsing jumps over subtrees, a filter keeps what
// matches and the way to it, runs of like siblings stand as one line. Rebuilt as a whole into the
// same arrays; a million rows take a few milliseconds. Next: pages/trace/tree_grid.ts.
import { kStatusError, type TraceColumns } from './trace_columns';

export interface RowFilter {
  services: ReadonlySet<number> | null; // indexes into header.services; null: all
  errorsOnly: boolean;
  criticalOnly: boolean;
}

export const kNoFilter: RowFilter = { services: null, errorsOnly: false, criticalOnly: false };

export function filters(filter: RowFilter): boolean {
  return filter.services !== null || filter.errorsOnly || filter.criticalOnly;
}

// Rows at `level` and deeper are collapsed, unless toggled; rows above are open, unless toggled.
export interface Collapse {
  level: number; // Infinity: nothing is collapsed
  toggled: ReadonlySet<number>;
  unfolded: ReadonlySet<number>; // first rows of runs that are shown one by one
  fold: boolean;
}

export const kNoCollapse: Collapse = {
  level: Infinity, toggled: new Set(), unfolded: new Set(), fold: true,
};

export function isCollapsed(columns: TraceColumns, collapse: Collapse, row: number): boolean {
  return columns.depth[row]! >= collapse.level !== collapse.toggled.has(row);
}

export const kHidden = 0;
export const kContext = 1; // on the way to a match, drawn pale
export const kMatch = 2;

export class VisibleRows {
  rows = new Int32Array(0); // visible position -> row
  runs = new Uint32Array(0); // visible position -> siblings that this line stands for, 0 where one span
  marks = new Uint8Array(0); // row -> kHidden, kContext, kMatch; all kMatch without a filter
  count = 0;
  matched = 0;
  built = 0; // grows with each rebuild

  rebuild(columns: TraceColumns, collapse: Collapse, filter: RowFilter): void {
    if (this.rows.length < columns.header.spans) {
      this.rows = new Int32Array(columns.header.spans);
      this.runs = new Uint32Array(columns.header.spans);
      this.marks = new Uint8Array(columns.header.spans);
    }
    this.built++;
    this.mark(columns, filter);
    const { marks, rows, runs } = this;
    const folds = collapse.fold && !filters(filter);
    let count = 0;
    for (let row = 0; row < columns.count; ) {
      if (marks[row] === kHidden) {
        row = columns.end[row]!;
        continue;
      }
      const run = folds ? columns.foldCount[row]! : 0;
      rows[count] = row;
      if (run > 0 && !collapse.unfolded.has(row)) {
        runs[count++] = run;
        row = columns.foldEnd[row]!;
        continue;
      }
      runs[count++] = 0;
      row = isCollapsed(columns, collapse, row) ? columns.end[row]! : row + 1;
    }
    this.count = count;
  }

  private mark(columns: TraceColumns, filter: RowFilter): void {
    const { marks } = this;
    this.matched = columns.count;
    if (!filters(filter)) {
      marks.fill(kMatch, 0, columns.count);
      return;
    }
    marks.fill(kHidden, 0, columns.count);
    this.matched = 0;
    for (let row = columns.count - 1; row >= 0; row--) {
      const matches =
        (filter.services === null || filter.services.has(columns.service[row]!)) &&
        (!filter.errorsOnly || columns.status[row] === kStatusError) &&
        (!filter.criticalOnly || columns.critical[row]! > 0);
      if (matches) {
        marks[row] = kMatch;
        this.matched++;
      }
      const parent = columns.parent[row]!;
      if (marks[row] !== kHidden && parent >= 0 && marks[parent] === kHidden) marks[parent] = kContext;
    }
  }

  // The position that shows `row`: its own, or that of the line it is folded or collapsed into.
  positionOf(row: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.rows[middle]! <= row) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
  shows(row: number): boolean {
    const position = this.positionOf(row);
    return position >= 0 && this.rows[position] === row && this.runs[position] === 0;
  }
}

// What must open so that `row` itself is on show.
export function reveal(columns: TraceColumns, collapse: Collapse, row: number): Collapse {
  const toggled = new Set(collapse.toggled);
  const unfolded = new Set(collapse.unfolded);
  if (columns.foldHead[row]! >= 0) unfolded.add(columns.foldHead[row]!);
  for (let up = columns.parent[row]!; up >= 0; up = columns.parent[up]!) {
    if (isCollapsed(columns, collapse, up)) {
      if (toggled.has(up)) toggled.delete(up);
      else toggled.add(up);
    }
    if (columns.foldHead[up]! >= 0) unfolded.add(columns.foldHead[up]!);
  }
  return { ...collapse, toggled, unfolded };
}
