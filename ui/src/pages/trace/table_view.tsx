// SPDX-License-Identifier: Apache-2.0
//
// The spans as a table, sorted by any column, or summed up by service or operation. Only the rows on
// screen are elements. Next: model/span_table.ts.
import { useEffect, useRef, useState } from 'preact/hooks';
import { groupSpans, readSort, sortedRows, type SpanGroup } from '../../model/span_table';
import type { TraceColumns } from '../../model/trace_columns';
import { columnDurations, formatCount, formatShare } from '../../model/units';
import { Icon } from '../../parts/icon';
import { ServiceDot } from '../../parts/service_dot';
import { SortHeading, type Heading } from '../../parts/sort_heading';
import { textWidth } from '../../parts/text_width';
import { useWidth } from '../../parts/use_width';
import { RowScroller } from './row_scroller';
import type { TraceState } from './trace_state';

const kLine = 24;
const kWide = 900;
const kFinerNarrow = 1;
const kGroupLeast = 720; // the table of sums scrolls sideways in a narrower window

const kSpanHeadings: readonly Heading[] = [
  { column: 'service', label: 'Service', number: false }, { column: 'name', label: 'Operation', number: false },
  { column: 'start', label: 'Starts at', number: true, falls: false }, { column: 'duration', label: 'Duration', number: true },
  { column: 'self', label: 'Own time', number: true },
  { column: 'critical', label: 'Critical path', number: true, title: 'Time on the critical path, and its share of the path' },
  { column: 'depth', label: 'Level', number: true }, { column: '', label: 'Error', number: false },
];

const kGroupHeadings: readonly Heading[] = [
  { column: 'service', label: 'Service', number: false }, { column: 'name', label: 'Operation', number: false },
  { column: 'spans', label: 'Spans', number: true }, { column: 'errors', label: 'Errors', number: true },
  { column: 'total', label: 'Sum', number: true }, { column: 'average', label: 'Mean', number: true },
  { column: 'longest', label: 'Longest', number: true }, { column: 'self', label: 'Own time', number: true },
  { column: 'critical', label: 'Critical path', number: true, title: 'Time on the critical path, and its share of the path' },
];

function Headings({ list, state, fallback, wide }: {
  list: readonly Heading[]; state: TraceState; fallback: string; wide?: number;
}) {
  const sort = readSort(state.sort.value, fallback);
  return (
    <tr>
      {list.map((heading) => (
        <SortHeading key={heading.label} heading={heading} sort={sort} width={heading.column === 'service' ? wide : undefined}
          onSort={(next) => { state.sort.value = next; state.push(); }} />
      ))}
    </tr>
  );
}

// The widest service name decides, as long as half of the table is left: names are not cut.
function serviceWidth(columns: TraceColumns, tableWidth: number): number {
  const widest = Math.max(0, ...columns.header.services.map((name) => textWidth(name, 13)));
  return Math.ceil(Math.min(widest + 36, tableWidth / 2));
}

function ServiceCell({ columns, name, room }: { columns: TraceColumns; name: string; room: number }) {
  const fits = textWidth(name, 13) + 34 <= room;
  return (
    <td title={name}>
      <ServiceDot name={name} colours={columns.colours} /> {fits ? name : <span class="unseen">{name}</span>}
    </td>
  );
}

interface Formats {
  start: (ns: number) => string;
  duration: (ns: number) => string;
  self: (ns: number) => string;
  critical: (ns: number) => string;
}

function SpanRow({ columns, row, state, formats, room }: {
  columns: TraceColumns; row: number; state: TraceState; formats: Formats; room: number;
}) {
  const found = state.foundMarks[row] === 1;
  return (
    <tr class={`${row === state.selected.value ? 'selected' : ''}${found ? ' found' : ''}`} onClick={() => state.select(row)}>
      <ServiceCell columns={columns} name={columns.serviceOf(row)} room={room} />
      <td class="ellipsis"><button type="button" class="text-button plain ellipsis">{columns.nameOf(row)}</button></td>
      <td class="num">{columns.hasTime(row) ? formats.start(columns.offsetOf(row)) : <span class="dim">no time</span>}</td>
      <td class="num">{formats.duration(columns.duration[row]!)}</td>
      <td class="num">{formats.self(columns.self[row]!)}</td>
      <td class="num">{columns.critical[row]! > 0
        ? <>{formats.critical(columns.critical[row]!)} <span class="dim">{formatShare(columns.critical[row]! / columns.pathNs)}</span></> : ''}</td>
      <td class="num">{columns.depth[row]! + 1}</td>
      <td>{columns.isError(row) && <span class="error-text error-mark"><Icon name="error" />error</span>}</td>
    </tr>
  );
}

function SpanTable({ state, columns }: { state: TraceState; columns: TraceColumns }) {
  const box = useRef<HTMLDivElement>(null);
  const space = useRef<HTMLDivElement>(null);
  const scroller = useRef<RowScroller | null>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [width, setWidth] = useState(0);
  const sort = readSort(state.sort.value, 'start');
  const kept = useRef<{ key: string; order: Uint32Array }>({ key: '', order: new Uint32Array(0) });
  const key = `${state.rowsVersion.value} ${state.version.value} ${sort.column} ${sort.down}`;
  if (kept.current.key !== key) {
    kept.current = { key, order: sortedRows(columns, state.rows, sort.column, sort.down) };
  }
  const { order } = kept.current;
  useEffect(() => {
    const made = new RowScroller(box.current!, space.current!, () => setTop(made.topPx));
    scroller.current = made;
    const observer = new ResizeObserver(() => {
      setHeight(box.current!.clientHeight);
      setWidth(box.current!.clientWidth);
    });
    observer.observe(box.current!);
    return () => { made.dispose(); observer.disconnect(); };
  }, []);
  // One line more for the headings, which stay in place.
  useEffect(() => scroller.current!.resize((order.length + 1) * kLine));
  const first = Math.floor(top / kLine);
  const shown = order.subarray(first, first + Math.ceil(height / kLine) + 1);
  // A narrow table has no room for the last differences.
  const finer = width > kWide ? undefined : kFinerNarrow;
  const compared = (value: (row: number) => number) => columnDurations([...shown].map(value), finer);
  const formats: Formats = {
    start: columnDurations([...shown].filter((row) => columns.hasTime(row)).map((row) => columns.offsetOf(row)), finer), duration: compared((row) => columns.duration[row]!),
    self: compared((row) => columns.self[row]!), critical: columnDurations([...shown].map((row) => columns.critical[row]!).filter((ns) => ns > 0), finer),
  };
  const room = serviceWidth(columns, width);
  return (
    <div class="table-scroll" ref={box} tabIndex={0} aria-label="Spans">
      <div class="table-sticky">
        <table class="span-table" aria-rowcount={order.length}>
          <thead><Headings list={kSpanHeadings} state={state} fallback="start" wide={room} /></thead>
          <tbody>
            {[...shown].map((row) => <SpanRow key={row} columns={columns} row={row} state={state} formats={formats} room={room} />)}
          </tbody>
        </table>
      </div>
      <div ref={space} aria-hidden="true" />
    </div>
  );
}

function groupKey(group: SpanGroup, columns: TraceColumns, column: string): number | string {
  switch (column) {
    case 'service': return columns.header.services[group.service]!;
    case 'name': return columns.header.names[group.name] ?? '';
    case 'average': return group.total / group.spans;
    case 'spans': case 'errors': case 'total': case 'longest': case 'critical': return group[column];
    default: return group.self;
  }
}

function GroupTable({ state, columns }: { state: TraceState; columns: TraceColumns }) {
  const byOperation = state.group.value === 'operation';
  const sort = readSort(state.sort.value, '-self');
  const sign = sort.down ? -1 : 1;
  void state.rowsVersion.value;
  void state.version.value;
  const groups = groupSpans(columns, state.rows, byOperation).sort((a, b) => {
    const x = groupKey(a, columns, sort.column);
    const y = groupKey(b, columns, sort.column);
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
  const headings = byOperation ? kGroupHeadings : kGroupHeadings.filter((heading) => heading.column !== 'name');
  const compared = (value: (group: SpanGroup) => number) => columnDurations(groups.map(value).filter((ns) => ns > 0));
  const [total, mean, longest, self, critical] = [
    compared((group) => group.total), compared((group) => group.total / group.spans), compared((group) => group.longest),
    compared((group) => group.self), compared((group) => group.critical),
  ];
  const { ref, width } = useWidth<HTMLDivElement>();
  const room = serviceWidth(columns, Math.max(width, kGroupLeast));
  return (
    <div class="table-scroll" tabIndex={0} aria-label="Spans by group" ref={ref}>
      <table class="span-table">
        <thead><Headings list={headings} state={state} fallback="-self" wide={room} /></thead>
        <tbody>
          {groups.map((group) => (
            <tr key={`${group.service} ${group.name}`}>
              <ServiceCell columns={columns} name={columns.header.services[group.service]!} room={room} />
              {byOperation && <td class="ellipsis">{columns.header.names[group.name]}</td>}
              <td class="num">{formatCount(group.spans)}</td>
              <td class="num">{group.errors > 0 && <span class="error-text">! {formatCount(group.errors)}</span>}</td>
              <td class="num">{total!(group.total)}</td>
              <td class="num">{mean!(group.total / group.spans)}</td>
              <td class="num"><button type="button" class="text-button" title="Show this span" onClick={() => {
                state.view.value = 'waterfall';
                state.showRow(group.longestRow);
                state.push();
              }}>{longest!(group.longest)}</button></td>
              <td class="num">{self!(group.self)}</td>
              <td class="num">{group.critical > 0 && <>{critical!(group.critical)} <span class="dim">{formatShare(group.critical / columns.pathNs)}</span></>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function TableView({ state }: { state: TraceState }) {
  const columns = state.columns.value!;
  const group = state.group.value;
  void state.selected.value;
  void state.found.value;
  return (
    <div class="table-view">
      <div class="table-group" role="group" aria-label="Rows">
        {[['', 'Every span'], ['service', 'By service'], ['operation', 'By operation']].map(([key, label]) => (
          <button key={key} type="button" class="button small" aria-pressed={group === key}
            onClick={() => { state.group.value = key!; state.sort.value = ''; state.push(); }}>{label}</button>
        ))}
      </div>
      {group === '' ? <SpanTable state={state} columns={columns} /> : <GroupTable state={state} columns={columns} />}
    </div>
  );
}
