// SPDX-License-Identifier: Apache-2.0
//
// One trace. The state object does the work; this is the frame, the keys and the four states.
// Next: pages/trace/trace_state.ts.
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { SpanCache } from '../../api/span_cache';
import { useKeys } from '../../app/keyboard';
import { place } from '../../app/router';
import { formatDuration } from '../../model/units';
import { readTraceUrl } from '../../model/trace_url';
import { Empty, Failed, ProgressLine } from '../../parts/page_states';
import { JsonView } from './json_view';
import { LogsView } from './logs_view';
import { MinimapView } from './minimap_view';
import { SpanPanel } from './span_panel';
import { TableView } from './table_view';
import { TimeStrip, TraceHeaderLine, TraceNotices } from './trace_header';
import { stateFromUrl, type TraceState } from './trace_state';
import { TraceToolbar } from './trace_toolbar';
import { WaterfallView } from './waterfall_view';

const kPage = 20;

function useTraceKeys(state: TraceState): void {
  const columns = () => state.columns.value;
  const position = () => state.rows.positionOf(state.selected.value);
  const openOrIn = () => {
    if (state.selected.value < 0) return state.step(1);
    const at = position();
    const row = state.rows.rows[at]!;
    if (state.rows.runs[at]! > 0 || (columns()!.hasChildren(row) && !state.isOpen(at))) state.toggleAt(at);
    else if (columns()!.hasChildren(row)) state.step(1);
  };
  const closeOrOut = () => {
    const row = state.selected.value;
    if (row < 0) return;
    const at = position();
    const head = columns()!.foldHead[row]!;
    if (state.rows.runs[at] === 0 && columns()!.hasChildren(row) && state.isOpen(at)) state.toggleAt(at);
    else if (head === row && state.collapse.value.unfolded.has(head)) state.refold(head);
    else if (columns()!.parent[row]! >= 0) state.showRow(columns()!.parent[row]!);
  };
  const level = (by: number) => {
    const { level: now } = state.collapse.value;
    const deepest = columns()?.header.depth ?? 1;
    const next = Math.max(0, Math.min(deepest, (Number.isFinite(now) ? now : deepest) + by));
    state.setLevel(next >= deepest ? Infinity : next);
  };
  const tree = 'Tree';
  const time = 'Time';
  const find = 'Find';
  useKeys([
    { keys: ['j', 'ArrowDown'], does: 'Next row', group: tree, run: () => state.step(1) },
    { keys: ['k', 'ArrowUp'], does: 'Previous row', group: tree, run: () => state.step(-1) },
    { keys: ['PageDown'], does: 'A page down', group: tree, run: () => state.step(kPage) },
    { keys: ['PageUp'], does: 'A page up', group: tree, run: () => state.step(-kPage) },
    { keys: ['Home'], does: 'First row', group: tree, run: () => state.step(-Infinity) },
    { keys: ['End'], does: 'Last row', group: tree, run: () => state.step(Infinity) },
    { keys: ['ArrowRight', 'Enter'], does: 'Expand, or go to the first child', group: tree, run: openOrIn },
    { keys: ['ArrowLeft'], does: 'Collapse, or go to the parent', group: tree, run: closeOrOut },
    { keys: ['['], does: 'Collapse one level', group: tree, run: () => level(-1) },
    { keys: [']'], does: 'Expand one level', group: tree, run: () => level(1) },
    { keys: ['{'], does: 'Collapse everything', group: tree, run: () => state.setLevel(0) },
    { keys: ['}'], does: 'Expand everything', group: tree, run: () => state.setLevel(Infinity) },
    { keys: ['w', '+'], does: 'Zoom in', group: time, run: () => state.zoomBy(0.7) },
    { keys: ['s', '-'], does: 'Zoom out', group: time, run: () => state.zoomBy(1 / 0.7) },
    { keys: ['a'], does: 'Pan left', group: time, run: () => state.panBy(-0.2) },
    { keys: ['d'], does: 'Pan right', group: time, run: () => state.panBy(0.2) },
    { keys: ['f'], does: 'Fit the selected span', group: time, run: () => state.fit(state.selected.value) },
    { keys: ['0'], does: 'The whole trace', group: time, run: () => state.fit(-1) },
    { keys: ['/'], does: 'Find in the trace', group: find, run: () => {
      const field = document.getElementById('find') as HTMLInputElement | null;
      field?.focus();
      field?.select();
    } },
    { keys: ['n'], does: 'Next match', group: find, run: () => state.nextFound(true) },
    { keys: ['N'], does: 'Previous match', group: find, run: () => state.nextFound(false) },
    { keys: ['e'], does: 'Next error', group: find, run: () => state.next((row) => columns()!.isError(row)) },
    { keys: ['c'], does: 'Next on the critical path', group: find, run: () => state.next((row) => columns()!.isCritical(row)) },
    { keys: ['p'], does: 'The critical path strongly, or not', group: find, run: () => state.setStrongPath(!state.strongPath.value) },
    { keys: ['Escape'], does: 'Close the details', group: tree, run: () => state.selected.value >= 0 && state.select(-1) },
  ]);
}

function Absent({ state }: { state: TraceState }) {
  return (
    <Empty title="No span of this trace is here">
      <p><code>{state.traceId}</code> is unknown: it may not have arrived yet, or retention has removed it. This page looks again by itself.</p>
      <div class="row">
        <button type="button" class="button" onClick={() => void state.load()}>Look now</button>
        <a class="button" href="search">Search</a>
      </div>
    </Empty>
  );
}

function Body({ state, cache }: { state: TraceState; cache: SpanCache }) {
  const view = state.view.value;
  const selected = state.selected.value;
  return (
    <>
      <TraceHeaderLine state={state} />
      <TraceNotices state={state} />
      <TimeStrip state={state} />
      <MinimapView state={state} />
      <TraceToolbar state={state} />
      <div class="trace-body">
        {view === 'waterfall' && <WaterfallView state={state} />}
        {view === 'table' && <TableView state={state} />}
        {view === 'logs' && <LogsView state={state} />}
        {view === 'json' && <JsonView traceId={state.traceId} />}
        {view !== 'json' && selected >= 0 && <SpanPanel state={state} cache={cache} />}
      </div>
    </>
  );
}

export function TracePage({ traceId }: { traceId: string }) {
  const state = useMemo(() => stateFromUrl(traceId, place.value.parameters), [traceId]);
  const cache = useMemo(() => new SpanCache(traceId), [traceId]);
  const { visit, parameters } = place.value;
  const seen = useRef(visit);
  useEffect(() => {
    void state.load();
    return () => state.dispose();
  }, [state]);
  // Back, forward, or a link to another state of this trace.
  useEffect(() => {
    if (seen.current === visit) return;
    seen.current = visit;
    state.apply(readTraceUrl(parameters));
  }, [visit, parameters]);
  const columns = state.columns.value;
  useEffect(() => {
    cache.clear();
    if (columns === null) {
      document.title = `Trace ${traceId.slice(0, 8)} · weft`;
      return;
    }
    const { header } = columns;
    const duration = formatDuration(columns.fullEnd - columns.fullStart);
    document.title = `${header.rootName} ${duration} · ${header.rootService} · weft`;
  }, [columns]);
  useTraceKeys(state);
  const error = state.error.value;
  return (
    <main class="page trace">
      <ProgressLine active={state.loading.value} />
      {columns === null && <h1 class="unseen">Trace {traceId}</h1>}
      {columns !== null ? <Body state={state} cache={cache} />
        : error === null ? null
        : state.waiting.value ? <Absent state={state} />
        : <Failed title="The trace could not be read" error={error} retry={() => void state.load()} />}
    </main>
  );
}
