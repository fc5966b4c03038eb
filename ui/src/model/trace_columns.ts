// SPDX-License-Identifier: Apache-2.0
//
// One trace as columns: a typed array a property, indexed by row (depth-first pre-order), filled as
// chunks stream in. No object a span exists anywhere. What follows from the columns (depth, subtree
// ends, runs of like siblings, counts of errors) is computed here once an update.
// A trace has two forms: with the clocks corrected, and as received. Times, extent, own time and
// critical path are those of the form that is shown (showSkew()).
// Next: model/visible_rows.ts, draw/waterfall.ts.
import type { CriticalPath, TraceChunk, TraceHeader } from '../api/types';
import { ServiceColours } from './palette';

export const kFlagOrphan = 1;
export const kFlagErrorOrigin = 2;
export const kFlagLinks = 4;
export const kFlagFollows = 8; // FOLLOWS_FROM its parent, which does not wait for it
export const kFlagCopy = 16; // another span with this id stands for it in own time and path
export const kFlagNoTime = 32; // no start was given: in no plot and no range
const kNotWaitedFor = kFlagFollows | kFlagCopy | kFlagNoTime;
export const kStatusError = 2;
export const kKindNames = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

// Siblings in a row that are alike (service and name) fold into one line from this many on.
export const kFoldFrom = 8;

export type RowLabel = 0 | 1;
export const kLabelRun = 0;
export const kLabelDescription = 1;

interface Form {
  self: Float64Array;
  critical: Float64Array;
  path: CriticalPath;
}

export class TraceColumns {
  readonly header: TraceHeader;
  count = 0; // rows received
  readonly parent: Int32Array;
  readonly depth: Uint32Array;
  readonly start: Float64Array; // offset from the header's startNs, as received
  readonly duration: Float64Array;
  readonly service: Uint16Array;
  readonly name: Uint32Array;
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
  readonly flags: Uint8Array;
  self: Float64Array; // of the form shown
  critical: Float64Array;
  readonly skew: Float64Array;
  readonly logs: Uint32Array;
  readonly events: Uint32Array;

  readonly end: Uint32Array; // descendants of i are (i, end[i])
  readonly foldEnd: Uint32Array; // at the first of a run of like siblings: behind the last's subtree
  readonly foldCount: Uint32Array; // siblings of the run that starts here, or 0
  readonly foldHead: Int32Array; // first row of the run that a row belongs to, or -1
  readonly errorsBefore: Uint32Array; // error spans in rows [0, i); one longer than the rest

  readonly colours: ServiceColours;

  // The critical path by row, in the times shown: pieces of row r start at firstPiece(r).
  private pieceRow = new Uint32Array(0);
  pieceStart = new Float64Array(0);
  pieceEnd = new Float64Array(0);
  selfByService: [service: number, ns: number][] = [];
  pathNs = 0; // length of the whole path: the base of every share of it

  private readonly corrected: Form;
  private readonly received: Form; // the same arrays where nothing was moved
  private shown: Float64Array; // start as displayed: with or without skew
  private skewOn = true;
  private readonly ids: { from: number; id: string[] }[] = [];
  private readonly labels: Map<number, string>[] = [new Map(), new Map()];
  fullStart = 0; // extent of the form shown, as offsets; its start is the zero of every axis
  fullEnd = 1;

  constructor(header: TraceHeader) {
    this.header = header;
    const n = header.spans;
    this.parent = new Int32Array(n);
    this.depth = new Uint32Array(n);
    this.start = new Float64Array(n);
    this.duration = new Float64Array(n);
    this.service = new Uint16Array(n);
    this.name = new Uint32Array(n);
    this.kind = new Uint8Array(n);
    this.status = new Uint8Array(n);
    this.flags = new Uint8Array(n);
    this.colours = new ServiceColours(header.services);
    this.corrected = { self: new Float64Array(n), critical: new Float64Array(n), path: header };
    this.received = header.asReceived == null ? this.corrected
      : { self: new Float64Array(n), critical: new Float64Array(n), path: header.asReceived };
    this.self = this.corrected.self;
    this.critical = this.corrected.critical;
    this.skew = new Float64Array(n);
    this.logs = new Uint32Array(n);
    this.events = new Uint32Array(n);
    this.end = new Uint32Array(n);
    this.foldEnd = new Uint32Array(n);
    this.foldCount = new Uint32Array(n);
    this.foldHead = new Int32Array(n);
    this.errorsBefore = new Uint32Array(n + 1);
    this.shown = new Float64Array(n);
    this.showForm();
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
    this.corrected.self.set(chunk.self, at);
    this.corrected.critical.set(chunk.critical, at);
    if (this.received !== this.corrected) {
      this.received.self.set(chunk.selfReceived ?? chunk.self, at);
      this.received.critical.set(chunk.criticalReceived ?? chunk.critical, at);
    }
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
    for (const known of this.labels) known.clear();
    this.showForm();
    this.showFrom(0);
  }

  private showForm(): void {
    const { header } = this;
    const form = this.skewOn ? this.corrected : this.received;
    this.self = form.self;
    this.critical = form.critical;
    this.selfByService = form.path.selfByService;
    this.pathNs = this.selfByService.reduce((sum, pair) => sum + pair[1], 0);
    const pieces = [...form.path.criticalPath].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    this.pieceRow = Uint32Array.from(pieces, (piece) => piece[0]);
    this.pieceStart = Float64Array.from(pieces, (piece) => piece[1]);
    this.pieceEnd = Float64Array.from(pieces, (piece) => piece[2]);
    const [from, to] = this.skewOn && header.shown !== undefined
      ? header.shown : [0, Number(BigInt(header.endNs) - BigInt(header.startNs))];
    this.fullStart = from;
    this.fullEnd = Math.max(from + 1, to);
  }

  private showFrom(row: number): void {
    for (let i = row; i < this.count; i++) this.shown[i] = this.start[i]! + (this.skewOn ? this.skew[i]! : 0);
  }

  // How far the row's own clock was moved in the form shown.
  shiftOf(row: number): number {
    return this.skewOn ? this.skew[row]! : 0;
  }
  // From the start of what is shown.
  offsetOf(row: number): number {
    return this.shown[row]! - this.fullStart;
  }
  hasTime(row: number): boolean {
    return (this.flags[row]! & kFlagNoTime) === 0;
  }
  // Whether the row's parent waits for it.
  isWaitedFor(row: number): boolean {
    return (this.flags[row]! & kNotWaitedFor) === 0;
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
  // Whether a piece of the path lies in one of the rows [from, to).
  hasPiece(from: number, to: number): boolean {
    const piece = this.firstPiece(from);
    return piece < this.pieceRow.length && this.pieceRow[piece]! < to;
  }
  isCritical(row: number): boolean {
    return this.critical[row]! > 0;
  }
}
