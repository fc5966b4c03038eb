// SPDX-License-Identifier: Apache-2.0
//
// Everything the trace page shows, as signals, and the two ways between it and the address. Acts that
// a person would want to go back from push a step; scrolling, zooming and stepping only note the
// address. Next: pages/trace/trace_page.tsx, pages/trace/waterfall_view.tsx.
import { batch, signal } from '@preact/signals';
import { ApiError, fetchFind, isAbort } from '../../api/client';
import { fetchTraceHeader, streamTrace } from '../../api/trace_stream';
import type { FindAnswer } from '../../api/types';
import { noteUrl, pushUrl } from '../../app/router';
import { TraceColumns } from '../../model/trace_columns';
import {
  filters, isCollapsed, kMatch, kNoCollapse, kNoFilter, reveal, VisibleRows, type Collapse, type RowFilter,
} from '../../model/visible_rows';
import { readTraceUrl, traceUrl, type TraceUrlState, type TraceView } from '../../model/trace_url';

export type Span = [from: number, to: number];

const kNoteAfterMs = 250;
const kFindAfterMs = 160;
const kLookAgainMs = [1000, 2000, 2000, 3000, 5000, 10_000];

export class TraceState {
  readonly columns = signal<TraceColumns | null>(null);
  readonly version = signal(0); // of the columns' contents
  readonly loading = signal(true);
  readonly error = signal<Error | null>(null);
  readonly waiting = signal(false); // for a root or a first span that has not come
  readonly view = signal<TraceView>('waterfall');
  readonly selected = signal(-1);
  readonly range = signal<Span | null>(null); // null: the whole trace
  readonly collapse = signal<Collapse>(kNoCollapse);
  readonly filter = signal<RowFilter>(kNoFilter);
  readonly skew = signal(true);
  readonly strongPath = signal(false); // the critical path stands out
  readonly group = signal('');
  readonly sort = signal('');
  readonly find = signal('');
  readonly found = signal<FindAnswer | null>(null);
  readonly findFailed = signal('');
  readonly rows = new VisibleRows();
  readonly rowsVersion = signal(0);
  // Grows when the logs of the selected row are asked for.
  readonly logsWanted = signal(0);
  // Grows when the selected row must be scrolled to.
  readonly reveals = signal(0);
  foundMarks = new Uint8Array(0); // row -> 1 where the text was found

  private abort = new AbortController();
  private findAbort = new AbortController();
  private noteTimer = 0;
  private findTimer = 0;
  private lookTimer = 0;
  private looks = 0;
  private refreshFrame = 0;
  private refreshNotBefore = 0;
  private wantedSpan = '';
  private wantedServices: string[] | null = null;

  constructor(readonly traceId: string) {}

  dispose(): void {
    this.abort.abort();
    this.findAbort.abort();
    window.clearTimeout(this.noteTimer);
    window.clearTimeout(this.findTimer);
    window.clearTimeout(this.lookTimer);
    cancelAnimationFrame(this.refreshFrame);
  }

  // ---- loading

  async load(): Promise<void> {
    this.abort.abort();
    this.abort = new AbortController();
    const signalNow = this.abort.signal;
    let fresh: TraceColumns | null = null;
    this.loading.value = true;
    performance.mark('weft-trace-asked');
    try {
      await streamTrace(
        this.traceId,
        {
          header: (header) => {
            performance.mark('weft-trace-header');
            fresh = new TraceColumns(header);
            this.adopt(fresh);
          },
          chunk: (chunk) => {
            fresh!.append(chunk);
            this.refreshSoon();
          },
        },
        signalNow,
      );
      this.refresh();
      performance.mark('weft-trace-complete');
      batch(() => {
        this.loading.value = false;
        this.error.value = null;
        this.waiting.value = fresh!.header.rootMissing;
      });
      if (fresh!.header.rootMissing) this.lookAgain();
    } catch (error) {
      if (isAbort(error)) return;
      const unknown = error instanceof ApiError && error.status === 404;
      batch(() => {
        this.loading.value = false;
        this.error.value = error as Error;
        this.waiting.value = unknown;
      });
      if (unknown) this.lookAgain();
    }
  }

  // Rows get other numbers when late spans come: what is remembered by row goes over by span id.
  private adopt(fresh: TraceColumns): void {
    const old = this.columns.value;
    if (old !== null) {
      if (this.selected.value >= 0) this.wantedSpan = old.idOf(this.selected.value);
      const ids = (rows: ReadonlySet<number>) => [...rows].map((row) => old.idOf(row));
      const toggled = ids(this.collapse.value.toggled);
      const unfolded = ids(this.collapse.value.unfolded);
      this.carryOver = { toggled, unfolded };
      this.selected.value = -1;
      this.collapse.value = { ...this.collapse.value, toggled: new Set(), unfolded: new Set() };
      this.wantedServices = this.serviceNames();
    }
    fresh.showSkew(this.skew.value);
    batch(() => {
      this.columns.value = fresh;
      this.error.value = null;
      this.filter.value = { ...this.filter.value, services: this.indexesOf(this.wantedServices, fresh) };
    });
    if (this.find.value !== '') this.search(this.find.value);
  }
  private carryOver: { toggled: string[]; unfolded: string[] } | null = null;

  // In the next frame; while a large trace streams in, no more than a fifth of the time goes here.
  private refreshSoon(): void {
    if (this.refreshFrame !== 0 || performance.now() < this.refreshNotBefore) return;
    this.refreshFrame = requestAnimationFrame(() => {
      this.refreshFrame = 0;
      const began = performance.now();
      this.refresh();
      const now = performance.now();
      this.refreshNotBefore = now + 4 * (now - began);
    });
  }

  private refresh(): void {
    const columns = this.columns.value;
    if (columns === null) return;
    cancelAnimationFrame(this.refreshFrame);
    this.refreshFrame = 0;
    columns.index();
    batch(() => {
      if (columns.count === columns.header.spans && this.carryOver !== null) {
        const rows = (ids: string[]) => new Set(ids.map((id) => columns.rowOf(id)).filter((row) => row >= 0));
        const { toggled, unfolded } = this.carryOver;
        this.carryOver = null;
        this.collapse.value = { ...this.collapse.value, toggled: rows(toggled), unfolded: rows(unfolded) };
      }
      this.version.value++;
      this.rebuild();
      this.selectWanted();
    });
  }

  private selectWanted(): void {
    if (this.wantedSpan === '') return;
    const row = this.columns.value?.rowOf(this.wantedSpan) ?? -1;
    if (row < 0) return;
    this.wantedSpan = '';
    this.showRow(row);
  }

  // Asks for the header again, in growing steps, until the trace has changed.
  private lookAgain(): void {
    const wait = kLookAgainMs[Math.min(this.looks++, kLookAgainMs.length - 1)]!;
    window.clearTimeout(this.lookTimer);
    this.lookTimer = window.setTimeout(() => {
      const known = this.columns.value?.header;
      fetchTraceHeader(this.traceId, this.abort.signal).then(
        (header) => {
          if (header.spans !== known?.spans || header.rootMissing !== known.rootMissing) {
            this.looks = 0;
            void this.load();
          } else {
            this.lookAgain();
          }
        },
        (error) => !isAbort(error) && this.lookAgain(),
      );
    }, wait);
  }

  // ---- address

  apply(state: TraceUrlState): void {
    batch(() => {
      this.view.value = state.view;
      this.range.value = state.from !== null && state.to !== null ? [state.from, state.to] : null;
      this.group.value = state.group;
      this.sort.value = state.sort;
      this.strongPath.value = state.strongPath;
      this.collapse.value = {
        level: state.level, toggled: new Set(state.toggled), unfolded: new Set(state.unfolded), fold: state.fold,
      };
      this.wantedServices = state.services;
      const columns = this.columns.value;
      this.filter.value = {
        services: columns === null ? null : this.indexesOf(state.services, columns),
        errorsOnly: state.errorsOnly, criticalOnly: state.criticalOnly,
      };
      if (this.skew.value !== state.skew) this.setSkew(state.skew);
      this.rebuild();
      this.wantedSpan = state.span;
      if (state.span === '') this.selected.value = -1;
      else this.selectWanted();
    });
    if (state.find !== this.find.value) this.search(state.find);
  }

  private url(): string {
    const columns = this.columns.value;
    const { level, toggled, unfolded, fold } = this.collapse.value;
    const { errorsOnly, criticalOnly } = this.filter.value;
    const span = this.selected.value >= 0 ? (columns?.idOf(this.selected.value) ?? '') : this.wantedSpan;
    return traceUrl(this.traceId, {
      view: this.view.value, span, from: this.range.value?.[0] ?? null, to: this.range.value?.[1] ?? null, level,
      toggled: [...toggled], unfolded: [...unfolded], fold, find: this.find.value, services: this.serviceNames(),
      errorsOnly, criticalOnly, strongPath: this.strongPath.value, skew: this.skew.value, group: this.group.value, sort: this.sort.value,
    });
  }

  // The address follows a little later; several changes make one note.
  note(): void {
    window.clearTimeout(this.noteTimer);
    this.noteTimer = window.setTimeout(() => noteUrl(this.url()), kNoteAfterMs);
  }

  // A step of the history of its own.
  push(): void {
    window.clearTimeout(this.noteTimer);
    pushUrl(this.url());
  }

  private serviceNames(): string[] | null {
    const columns = this.columns.value;
    const { services } = this.filter.value;
    if (services === null || columns === null) return this.columns.value === null ? this.wantedServices : null;
    return [...services].map((index) => columns.header.services[index]!);
  }
  private indexesOf(names: string[] | null, columns: TraceColumns): ReadonlySet<number> | null {
    if (names === null) return null;
    return new Set(names.map((name) => columns.header.services.indexOf(name)).filter((index) => index >= 0));
  }

  // ---- rows

  rebuild(): void {
    const columns = this.columns.value;
    if (columns === null) return;
    this.rows.rebuild(columns, this.collapse.value, this.filter.value);
    this.rowsVersion.value++;
  }

  setCollapse(collapse: Collapse): void {
    this.collapse.value = collapse;
    this.rebuild();
    this.note();
  }

  // Opens or closes what the line at `position` stands for.
  toggleAt(position: number): void {
    const row = this.rows.rows[position]!;
    const { toggled, unfolded } = this.collapse.value;
    if (this.rows.runs[position]! > 0) {
      this.setCollapse({ ...this.collapse.value, unfolded: new Set([...unfolded, row]) });
      return;
    }
    const next = new Set(toggled);
    if (!next.delete(row)) next.add(row);
    this.setCollapse({ ...this.collapse.value, toggled: next });
  }
  refold(head: number): void {
    const unfolded = new Set(this.collapse.value.unfolded);
    unfolded.delete(head);
    this.setCollapse({ ...this.collapse.value, unfolded });
  }
  isOpen(position: number): boolean {
    const row = this.rows.rows[position]!;
    return this.rows.runs[position] === 0 && !isCollapsed(this.columns.value!, this.collapse.value, row);
  }
  setLevel(level: number): void {
    this.setCollapse({ ...this.collapse.value, level, toggled: new Set() });
  }

  setFilter(part: Partial<RowFilter>): void {
    this.filter.value = { ...this.filter.value, ...part };
    this.rebuild();
    this.push();
  }

  // ---- selection, zoom

  select(row: number, step = false): void {
    this.selected.value = row;
    if (step) this.note();
    else this.push();
  }

  // Opens the details of a row where its logs and events are.
  showLogs(row: number): void {
    this.select(row);
    this.logsWanted.value++;
  }

  // Selects a row wherever it hides: opens the way to it and scrolls there.
  showRow(row: number): void {
    const columns = this.columns.value!;
    batch(() => {
      if (filters(this.filter.value) && this.rows.marks[row] !== kMatch) {
        this.filter.value = kNoFilter;
        this.rebuild();
      }
      if (!this.rows.shows(row)) {
        this.collapse.value = reveal(columns, this.collapse.value, row);
        this.rebuild();
      }
      this.selected.value = row;
      this.reveals.value++;
    });
    this.note();
  }

  step(by: number): void {
    const { rows } = this;
    if (rows.count === 0) return;
    const position = this.selected.value < 0 ? (by > 0 ? -1 : rows.count) : rows.positionOf(this.selected.value);
    const next = Math.max(0, Math.min(rows.count - 1, position + by));
    this.selected.value = rows.rows[next]!;
    this.reveals.value++;
    this.note();
  }

  // The next row after the selected one for which `test` holds, around the end.
  next(test: (row: number) => boolean, forward = true): void {
    const count = this.columns.value?.count ?? 0;
    const from = this.selected.value;
    for (let i = 1; i <= count; i++) {
      const row = (from + (forward ? i : -i) + 2 * count + (from < 0 && !forward ? 1 : 0)) % count;
      if (test(row)) {
        this.showRow(row);
        return;
      }
    }
  }

  get full(): Span {
    const columns = this.columns.value;
    return columns === null ? [0, 1] : [columns.fullStart, columns.fullEnd];
  }
  get shown(): Span {
    return this.range.value ?? this.full;
  }

  zoomTo(from: number, to: number, asStep = false): void {
    const [low, high] = this.full;
    const least = Math.max((high - low) / 1e9, 10);
    let a = Math.max(low, Math.min(from, to));
    let b = Math.min(high, Math.max(from, to));
    if (b - a < least) {
      const middle = (a + b) / 2;
      a = Math.max(low, middle - least / 2);
      b = a + least;
    }
    this.range.value = a <= low && b >= high ? null : [a, b];
    if (asStep) this.push();
    else this.note();
  }
  // factor < 1 zooms in; `at` keeps its place.
  zoomBy(factor: number, at?: number): void {
    const [a, b] = this.shown;
    const middle = at ?? this.selectedMiddle() ?? (a + b) / 2;
    this.zoomTo(middle - (middle - a) * factor, middle + (b - middle) * factor);
  }
  private selectedMiddle(): number | null {
    const columns = this.columns.value;
    const row = this.selected.value;
    if (columns === null || row < 0 || !columns.hasTime(row)) return null;
    const middle = (columns.startOf(row) + columns.endOf(row)) / 2;
    const [a, b] = this.shown;
    return middle > a && middle < b ? middle : null;
  }
  panBy(share: number): void {
    const [a, b] = this.shown;
    const [low, high] = this.full;
    const by = Math.max(low - a, Math.min(high - b, (b - a) * share));
    this.zoomTo(a + by, b + by);
  }
  fit(row: number): void {
    const columns = this.columns.value;
    if (columns === null) return;
    if (row < 0 || !columns.hasTime(row)) {
      this.range.value = null;
      this.push();
      return;
    }
    const room = Math.max(columns.duration[row]! * 0.06, 50);
    this.zoomTo(columns.startOf(row) - room, columns.endOf(row) + room, true);
  }

  setStrongPath(on: boolean): void {
    this.strongPath.value = on;
    this.push();
  }

  setSkew(on: boolean): void {
    this.skew.value = on;
    this.columns.value?.showSkew(on);
    this.version.value++;
    this.rebuild(); // the path is another one
  }

  // ---- find

  search(text: string): void {
    this.find.value = text;
    this.note();
    window.clearTimeout(this.findTimer);
    this.findAbort.abort();
    if (text.trim() === '') {
      this.foundMarks = new Uint8Array(0);
      this.found.value = null;
      this.findFailed.value = '';
      return;
    }
    this.findTimer = window.setTimeout(() => void this.runFind(text), kFindAfterMs);
  }

  private async runFind(text: string): Promise<void> {
    this.findAbort = new AbortController();
    try {
      const answer = await fetchFind(this.traceId, text, this.findAbort.signal);
      const marks = new Uint8Array(this.columns.value?.header.spans ?? 0);
      for (const row of answer.rows) marks[row] = 1;
      this.foundMarks = marks;
      batch(() => {
        this.found.value = answer;
        this.findFailed.value = '';
      });
    } catch (error) {
      if (!isAbort(error)) this.findFailed.value = (error as Error).message;
    }
  }
  nextFound(forward: boolean): void {
    const marks = this.foundMarks;
    if (this.found.value === null || this.found.value.rows.length === 0) return;
    this.next((row) => marks[row] === 1, forward);
  }
}

export function stateFromUrl(traceId: string, parameters: URLSearchParams): TraceState {
  const state = new TraceState(traceId);
  state.apply(readTraceUrl(parameters));
  return state;
}
