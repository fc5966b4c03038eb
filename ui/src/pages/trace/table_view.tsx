// SPDX-License-Identifier: Apache-2.0
//
// The spans as a table, sorted by any column, or summed up by service or operation. Only the rows on
// screen are elements. Next: model/span_table.ts.
import { useEffect, useRef, useState } from 'preact/hooks';
import { groupSpans, readSort, sortedRows, type SpanGroup } from '../../model/span_table';
import type { TraceColumns } from '../../model/trace_columns';
import { formatCount, formatDuration, formatShare } from '../../model/units';
import { Icon } from '../../parts/icon';
import { ServiceDot } from '../../parts/service_dot';
import { RowScroller } from './row_scroller';
import type { TraceState } from './trace_state';

const kLine = 24;

interface Heading {
  key: string;
  label: string;
  number: boolean;
}

const kSpanHeadings: readonly Heading[] = [
  { key: 'service', label: 'Service', number: false }, { key: 'name', label: 'Operation', number: false },
  { key: 'start', label: 'Starts at', number: true }, { key: 'duration', label: 'Duration', number: true },
  { key: 'self', label: 'Own time', number: true }, { key: 'critical', label: 'Critical path', number: true },
  { key: 'depth', label: 'Level', number: true }, { key: '', label: 'Error', number: false },
];

const kGroupHeadings: readonly Heading[] = [
  { key: 'service', label: 'Service', number: false }, { key: 'name', label: 'Operation', number: false },
  { key: 'spans', label: 'Spans', number: true }, { key: 'errors', label: 'Errors', number: true },
  { key: 'total', label: 'Sum', number: true }, { key: 'average', label: 'Mean', number: true },
  { key: 'longest', label: 'Longest', number: true }, { key: 'self', label: 'Own time', number: true },
  { key: 'critical', label: 'Critical path', number: true },
];

function Headings({ list, state, fallback }: { list: readonly Heading[]; state: TraceState; fallback: string }) {
  const sort = readSort(state.sort.value, fallback);
  return (
    <tr>
      {list.map((heading) => {
        const sorted = heading.key !== '' && heading.key === sort.column;
        return (
          <th key={heading.label} scope="col" class={heading.number ? 'num' : undefined}
            aria-sort={sorted ? (sort.down ? 'descending' : 'ascending') : undefined}>
            {heading.key === '' ? heading.label : (
              <button type="button" class="sort" onClick={() => {
                state.sort.value = (sorted ? !sort.down : heading.number) ? `-${heading.key}` : heading.key;
                state.push();
              }}>{heading.label}{sorted && <Icon name={sort.down ? 'down' : 'up'} />}</button>
            )}
          </th>
        );
      })}
    </tr>
  );
}

function SpanRow({ columns, row, state }: { columns: TraceColumns; row: number; state: TraceState }) {
  const total = columns.fullEnd - columns.fullStart;
  const found = state.foundMarks[row] === 1;
  return (
    <tr class={`${row === state.selected.value ? 'selected' : ''}${found ? ' found' : ''}`} onClick={() => state.select(row)}>
      <td class="ellipsis"><ServiceDot name={columns.serviceOf(row)} /> {columns.serviceOf(row)}</td>
      <td class="ellipsis"><button type="button" class="text-button plain ellipsis">{columns.nameOf(row)}</button></td>
      <td class="num">{formatDuration(columns.startOf(row))}</td>
      <td class="num">{formatDuration(columns.duration[row]!)}</td>
      <td class="num">{formatDuration(columns.self[row]!)}</td>
      <td class="num">{columns.critical[row]! > 0
        ? <>{formatDuration(columns.critical[row]!)} <span class="dim">{formatShare(columns.critical[row]! / total)}</span></> : ''}</td>
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
    const observer = new ResizeObserver(() => setHeight(box.current!.clientHeight));
    observer.observe(box.current!);
    return () => { made.dispose(); observer.disconnect(); };
  }, []);
  // One line more for the headings, which stay in place.
  useEffect(() => scroller.current!.resize((order.length + 1) * kLine));
  const first = Math.floor(top / kLine);
  const shown = order.subarray(first, first + Math.ceil(height / kLine) + 1);
  return (
    <div class="table-scroll" ref={box} tabIndex={0} aria-label="Spans">
      <div class="table-sticky">
        <table class="span-table" aria-rowcount={order.length}>
          <thead><Headings list={kSpanHeadings} state={state} fallback="start" /></thead>
          <tbody>
            {[...shown].map((row) => <SpanRow key={row} columns={columns} row={row} state={state} />)}
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
  const groups = groupSpans(columns, state.rows, byOperation).sort((a, b) => {
    const x = groupKey(a, columns, sort.column);
    const y = groupKey(b, columns, sort.column);
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
  const headings = byOperation ? kGroupHeadings : kGroupHeadings.filter((heading) => heading.key !== 'name');
  const total = columns.fullEnd - columns.fullStart;
  return (
    <div class="table-scroll" tabIndex={0} aria-label="Spans by group">
      <table class="span-table">
        <thead><Headings list={headings} state={state} fallback="-self" /></thead>
        <tbody>
          {groups.map((group) => (
            <tr key={`${group.service} ${group.name}`}>
              <td class="ellipsis"><ServiceDot name={columns.header.services[group.service]!} /> {columns.header.services[group.service]}</td>
              {byOperation && <td class="ellipsis">{columns.header.names[group.name]}</td>}
              <td class="num">{formatCount(group.spans)}</td>
              <td class="num">{group.errors > 0 && <span class="error-text">! {formatCount(group.errors)}</span>}</td>
              <td class="num">{formatDuration(group.total)}</td>
              <td class="num">{formatDuration(group.total / group.spans)}</td>
              <td class="num"><button type="button" class="text-button" title="Show this span" onClick={() => {
                state.view.value = 'waterfall';
                state.showRow(group.longestRow);
                state.push();
              }}>{formatDuration(group.longest)}</button></td>
              <td class="num">{formatDuration(group.self)}</td>
              <td class="num">{group.critical > 0 && <>{formatDuration(group.critical)} <span class="dim">{formatShare(group.critical / total)}</span></>}</td>
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
