// SPDX-License-Identifier: Apache-2.0
//
// One trace as columns: a typed array a property, indexed by row (depth-first pre-order), filled as
// chunks stream in. No object a span exists anywhere. What follows from the columns (depth, subtree
// ends, runs of like siblings, counts of errors) is computed here once an update.
// Next: model/visible_rows.ts, draw/waterfall.ts.
import type { TraceChunk, TraceHeader } from '../api/types';

export const kFlagOrphan = 1;
export const kFlagErrorOrigin = 2;
export const kFlagLinks = 4;
export const kStatusError = 2;
export const kKindNames = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

// Siblings in a row that are alike (service and name) fold into one line from this many on.
export const kFoldFrom = 8;

export type RowLabel = 0 | 1 | 2;
export const kLabelDuration = 0;
export const kLabelRun = 1;
export const kLabelDescription = 2;

export class TraceColumns {
  readonly header: TraceHeader;
  count = 0; // rows received
  readonly parent: Int32Array;
  readonly depth: Uint16Array;
  readonly start: Float64Array; // offset from the header's startNs, as received
  readonly duration: Float64Array;
  readonly service: Uint16Array;
  readonly name: Uint32Array;
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
  readonly flags: Uint8Array;
  readonly self: Float64Array;
  readonly critical: Float64Array;
  readonly skew: Float64Array;
  readonly logs: Uint32Array;
  readonly events: Uint32Array;

  readonly end: Uint32Array; // descendants of i are (i, end[i])
  readonly foldEnd: Uint32Array; // at the first of a run of like siblings: behind the last's subtree
  readonly foldCount: Uint32Array; // siblings of the run that starts here, or 0
  readonly foldHead: Int32Array; // first row of the run that a row belongs to, or -1
  readonly errorsBefore: Uint32Array; // error spans in rows [0, i); one longer than the rest

  // The critical path by row: pieces of row r lie at [criticalFrom(r), criticalTo(r)).
  private readonly pieceRow: Uint32Array;
  readonly pieceStart: Float64Array;
  readonly pieceEnd: Float64Array;

  private shown: Float64Array; // start as displayed: with or without skew
  private skewOn = true;
  private readonly ids: { from: number; id: string[] }[] = [];
  private readonly labels: Map<number, string>[] = [new Map(), new Map(), new Map()];
  fullStart = 0; // what a fitted view shows, as offsets
  fullEnd = 1;

  constructor(header: TraceHeader) {
    this.header = header;
    const n = header.spans;
    this.parent = new Int32Array(n);
    this.depth = new Uint16Array(n);
    this.start = new Float64Array(n);
    this.duration = new Float64Array(n);
    this.service = new Uint16Array(n);
    this.name = new Uint32Array(n);
    this.kind = new Uint8Array(n);
    this.status = new Uint8Array(n);
    this.flags = new Uint8Array(n);
    this.self = new Float64Array(n);
    this.critical = new Float64Array(n);
    this.skew = new Float64Array(n);
    this.logs = new Uint32Array(n);
    this.events = new Uint32Array(n);
    this.end = new Uint32Array(n);
    this.foldEnd = new Uint32Array(n);
    this.foldCount = new Uint32Array(n);
    this.foldHead = new Int32Array(n);
    this.errorsBefore = new Uint32Array(n + 1);
    this.shown = new Float64Array(n);
    const pieces = [...header.criticalPath].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    this.pieceRow = Uint32Array.from(pieces, (piece) => piece[0]);
    this.pieceStart = Float64Array.from(pieces, (piece) => piece[1]);
    this.pieceEnd = Float64Array.from(pieces, (piece) => piece[2]);
    this.fullEnd = Math.max(1, Number(BigInt(header.endNs) - BigInt(header.startNs)));
  }

  // Adds the next rows. Rows that are out of order or too many are a broken answer: throws.
  append(chunk: TraceChunk): void {
    const n = chunk.parent.length;
    if (chunk.from !== this.count || this.count + n > this.header.spans) {
      throw new Error(`rows ${chunk.from} to ${chunk.from + n} do not follow row ${this.count}`);
    }
    const at = this.count;
    this.parent.set(chunk.parent, at);
    this.start.set(chunk.start, at);
    this.duration.set(chunk.duration, at);
    this.service.set(chunk.service, at);
    this.name.set(chunk.name, at);
    this.kind.set(chunk.kind, at);
    this.status.set(chunk.status, at);
    this.flags.set(chunk.flags, at);
    this.self.set(chunk.self, at);
    this.critical.set(chunk.critical, at);
    this.skew.set(chunk.skew, at);
    this.logs.set(chunk.logs, at);
    this.events.set(chunk.events, at);
    this.ids.push({ from: at, id: chunk.id });
    this.count += n;
    for (let i = at; i < this.count; i++) {
      const parent = this.parent[i]!;
      this.depth[i] = parent < 0 ? 0 : this.depth[parent]! + 1;
      const isError = this.status[i] === kStatusError ? 1 : 0;
      this.errorsBefore[i + 1] = this.errorsBefore[i]! + isError;
    }
    this.showFrom(at);
  }

  // To be called after append() and before drawing, once a frame at most.
  index(): void {
    const { parent, end, count } = this;
    for (let i = 0; i < count; i++) end[i] = i + 1;
    for (let i = count - 1; i > 0; i--) {
      const p = parent[i]!;
      if (p >= 0 && end[p]! < end[i]!) end[p] = end[i]!;
    }
    this.indexRuns();
  }

  private indexRuns(): void {
    const { parent, end, count, service, name, foldCount, foldEnd, foldHead } = this;
    foldCount.fill(0, 0, count);
    foldHead.fill(-1, 0, count);
    for (let i = 0; i < count; i++) {
      if (foldHead[i] !== -1) continue;
      let run = 1;
      let next = end[i]!;
      while (
        next < count && parent[next] === parent[i] && parent[i]! >= 0 &&
        service[next] === service[i] && name[next] === name[i]
      ) {
        run++;
        next = end[next]!;
      }
      if (run < kFoldFrom) continue;
      foldCount[i] = run;
      foldEnd[i] = next;
      for (let j = i; j < next; j = end[j]!) foldHead[j] = i;
    }
  }

  get skewShown(): boolean {
    return this.skewOn;
  }

  showSkew(on: boolean): void {
    this.skewOn = on;
    this.fullStart = 0;
    this.fullEnd = Math.max(
      1, Number(BigInt(this.header.endNs) - BigInt(this.header.startNs)));
    this.showFrom(0);
  }

  private showFrom(row: number): void {
    for (let i = row; i < this.count; i++) {
      const at = this.start[i]! + (this.skewOn ? this.skew[i]! : 0);
      this.shown[i] = at;
      if (at < this.fullStart) this.fullStart = at;
      if (at + this.duration[i]! > this.fullEnd) this.fullEnd = at + this.duration[i]!;
    }
  }

  startOf(row: number): number {
    return this.shown[row]!;
  }
  endOf(row: number): number {
    return this.shown[row]! + this.duration[row]!;
  }
  serviceOf(row: number): string {
    return this.header.services[this.service[row]!] ?? '';
  }
  nameOf(row: number): string {
    return this.header.names[this.name[row]!] ?? '';
  }
  isError(row: number): boolean {
    return this.status[row] === kStatusError;
  }
  errorsIn(from: number, to: number): number {
    return this.errorsBefore[to]! - this.errorsBefore[from]!;
  }
  hasChildren(row: number): boolean {
    return this.end[row]! > row + 1;
  }

  idOf(row: number): string {
    for (const part of this.ids) {
      if (row < part.from + part.id.length) return part.id[row - part.from]!;
    }
    return '';
  }
  // The row of a span id, or -1.
  rowOf(id: string): number {
    for (const part of this.ids) {
      const at = part.id.indexOf(id);
      if (at >= 0) return part.from + at;
    }
    return -1;
  }

  // A text about a row, made once: what scrolls past twice costs nothing the second time.
  labelOf(kind: RowLabel, row: number, make: (row: number) => string): string {
    const known = this.labels[kind]!;
    let text = known.get(row);
    if (text === undefined) known.set(row, (text = make(row)));
    return text;
  }

  firstPiece(row: number): number {
    let low = 0;
    let high = this.pieceRow.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.pieceRow[middle]! < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  isPieceOf(piece: number, row: number): boolean {
    return piece < this.pieceRow.length && this.pieceRow[piece] === row;
  }
  isCritical(row: number): boolean {
    return this.critical[row]! > 0;
  }
}
