// SPDX-License-Identifier: Apache-2.0
//
// Every log line of the trace in the order of time; a click opens its span. Only the lines on screen are
// elements. Next: model/trace_logs.ts.
import { useEffect, useRef, useState } from 'preact/hooks';
import { fetchTraceLogs, isAbort } from '../../api/client';
import type { TraceColumns } from '../../model/trace_columns';
import { logLines, type LogLine } from '../../model/trace_logs';
import { columnDurations, describeTime, nsToMs } from '../../model/units';
import { Empty, Failed, useSlow } from '../../parts/page_states';
import { ServiceDot } from '../../parts/service_dot';
import { RowScroller } from './row_scroller';
import type { TraceState } from './trace_state';

const kLine = 24;
const kFiner = 2;

function useLogs(traceId: string, version: number) {
  const [lines, setLines] = useState<LogLine[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setError(null);
    fetchTraceLogs(traceId, abort.signal).then(
      (data) => setLines(logLines(data)), (failure: Error) => !isAbort(failure) && setError(failure));
    return () => abort.abort();
  }, [traceId, version, turn]);
  return { lines, error, again: () => setTurn(turn + 1) };
}

// Where a line lies in what the trace page shows: its span's clock may have been moved.
function offsetOf(line: LogLine, row: number, columns: TraceColumns): number {
  const offset = Number(BigInt(line.timeNs) - BigInt(columns.header.startNs));
  return offset + (row < 0 ? 0 : columns.shiftOf(row)) - columns.fullStart;
}

function Line({ line, row, state, format }: {
  line: LogLine; row: number; state: TraceState; format: (ns: number) => string;
}) {
  const columns = state.columns.value!;
  const shift = row < 0 ? 0 : columns.shiftOf(row);
  return (
    <tr class={row >= 0 && row === state.selected.value ? 'selected' : ''} onClick={() => row >= 0 && state.select(row)}>
      <td class="num" title={describeTime(nsToMs(line.timeNs) + shift / 1e6)}>{line.timeNs === '0' ? 'no time' : format(offsetOf(line, row, columns))}</td>
      <td class={line.isError ? 'error-text' : 'dim'}>{line.isError && '! '}{line.severity}</td>
      <td class="log-text" title={line.text}>
        {row >= 0 ? <button type="button" class="text-button plain">{line.text}</button> : line.text}
      </td>
      <td class="log-span" title={line.service}>
        <ServiceDot name={line.service} colours={columns.colours} /> {row >= 0 ? columns.nameOf(row) : <span class="dim">no span of this trace</span>}
      </td>
    </tr>
  );
}

function Lines({ state, lines }: { state: TraceState; lines: readonly LogLine[] }) {
  const columns = state.columns.value!;
  const box = useRef<HTMLDivElement>(null);
  const space = useRef<HTMLDivElement>(null);
  const scroller = useRef<RowScroller | null>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useEffect(() => {
    const made = new RowScroller(box.current!, space.current!, () => setTop(made.topPx));
    scroller.current = made;
    const observer = new ResizeObserver(() => setHeight(box.current!.clientHeight));
    observer.observe(box.current!);
    return () => { made.dispose(); observer.disconnect(); };
  }, []);
  // One line more for the headings, which stay in place.
  useEffect(() => scroller.current!.resize((lines.length + 1) * kLine));
  const first = Math.floor(top / kLine);
  const shown = lines.slice(first, first + Math.ceil(height / kLine) + 1)
    .map((line) => ({ line, row: line.spanId === '' ? -1 : columns.rowOf(line.spanId) }));
  const format = columnDurations(shown.map(({ line, row }) => offsetOf(line, row, columns)), kFiner);
  return (
    <div class="table-scroll" ref={box} tabIndex={0} aria-label="Log lines">
      <div class="table-sticky">
        <table class="span-table log-table" aria-rowcount={lines.length}>
          <thead><tr><th scope="col" class="num">At</th><th scope="col">Severity</th><th scope="col">Text</th><th scope="col">Span</th></tr></thead>
          <tbody>{shown.map(({ line, row }, index) => <Line key={first + index} line={line} row={row} state={state} format={format} />)}</tbody>
        </table>
      </div>
      <div ref={space} aria-hidden="true" />
    </div>
  );
}

export function LogsView({ state }: { state: TraceState }) {
  void state.skew.value;
  void state.selected.value;
  const { lines, error, again } = useLogs(state.traceId, state.columns.value!.header.logs);
  const slow = useSlow(lines === null && error === null);
  if (error !== null) return <Failed title="The log lines could not be read" error={error} retry={again} />;
  if (lines === null) return <p class="json-bar dim" role="status">{slow ? 'Loading' : ''}</p>;
  if (lines.length === 0) {
    return <Empty title="No log lines"><p>No log record with this trace&rsquo;s id is here. Events of a span stand in its details.</p></Empty>;
  }
  return <div class="table-view"><Lines state={state} lines={lines} /></div>;
}
