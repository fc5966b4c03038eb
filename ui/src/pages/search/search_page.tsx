// SPDX-License-Identifier: Apache-2.0
//
// Search: the address is the state; the line and the form are drafts of the next address. The last
// answer stays on show, dimmed, while the next one is on its way. Next: model/search_url.ts.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiError, fetchSearch, isAbort } from '../../api/client';
import { forgetNames } from '../../api/names';
import type { SearchAnswer } from '../../api/types';
import { useKeys } from '../../app/keyboard';
import { go, place } from '../../app/router';
import { isJaegerSearch } from '../../model/jaeger_links';
import { formToQuery, queryToForm } from '../../model/query_form';
import { readSearchUrl, searchUrl, type SearchState } from '../../model/search_url';
import { ServiceColours } from '../../model/palette';
import { readPastedTrace } from '../../model/pasted_trace';
import { describeSort, kNewestFirst, readResultSort } from '../../model/result_sort';
import { pastedUrl } from '../../model/trace_url';
import { rangeBounds } from '../../model/time_range';
import { durationLiteral, formatAbout, formatDuration, plural } from '../../model/units';
import { Notice, ProgressLine } from '../../parts/page_states';
import { RangePicker } from '../../parts/range_picker';
import { NothingFound } from './nothing_found';
import { QueryLine } from './query_line';
import { QueryPanel } from './query_panel';
import { ResultTable } from './result_table';
import { ScatterPlot, type Box } from './scatter_plot';
import { SearchError, UnknownNames } from './search_error';

const kMatchesShown = 20;
// Shorter hexadecimal texts on the query line are words.
const kIdDigits = 16;

interface Outcome {
  answer: SearchAnswer | null;
  error: Error | null;
  atMs: number;
}

// The last answer and where it was scrolled to: what Back from a trace shows at once.
const kept = { key: '', outcome: null as Outcome | null, scrollY: 0 };
const kKeptMs = 5 * 60_000;

function keptFor(key: string): Outcome | null {
  const { outcome } = kept;
  return outcome !== null && kept.key === key && Date.now() - outcome.atMs < kKeptMs ? outcome : null;
}

// Runs the search of `state` whenever what it asks changes, and at each `turn`.
function useSearch(state: SearchState, turn: number) {
  const key = searchUrl({ ...state, open: [], sort: '', absolute: false });
  const [outcome, setOutcome] = useState<Outcome>(keptFor(key) ?? { answer: null, error: null, atMs: Date.now() });
  const [loading, setLoading] = useState(keptFor(key) === null);
  const returned = useRef(!loading);
  useLayoutEffect(() => {
    if (returned.current) window.scrollTo(0, kept.scrollY);
    const remember = () => (kept.scrollY = window.scrollY);
    window.addEventListener('scroll', remember, { passive: true });
    return () => window.removeEventListener('scroll', remember);
  }, []);
  useEffect(() => {
    if (returned.current) {
      returned.current = false;
      return undefined;
    }
    const abort = new AbortController();
    setLoading(true);
    window.scrollTo(0, 0);
    const atMs = state.atMs || Date.now();
    fetchSearch(
      {
        q: state.query.trim() === '' ? '{}' : state.query, ...rangeBounds(state.range, atMs),
        limit: state.limit, spss: kMatchesShown, cursor: state.cursor,
      },
      abort.signal,
    ).then(
      (answer) => {
        Object.assign(kept, { key, outcome: { answer, error: null, atMs } });
        setOutcome({ answer, error: null, atMs });
        setLoading(false);
      },
      (error: Error) => {
        if (isAbort(error)) return;
        setOutcome((last) => ({ ...last, error }));
        setLoading(false);
      },
    );
    return () => abort.abort();
  }, [key, turn]);
  return { ...outcome, loading };
}

function Cost({ answer }: { answer: SearchAnswer }) {
  const { stats } = answer;
  return (
    <span class="dim">
      {formatAbout(stats.spansInspected)} of {formatAbout(stats.spansTotal)} spans read,{' '}
      {formatDuration(stats.elapsedNs)}
    </span>
  );
}

function Pages({ state, answer, atMs }: { state: SearchState; answer: SearchAnswer; atMs: number }) {
  const first = searchUrl({ ...state, cursor: '', open: [] });
  const next = searchUrl({ ...state, cursor: answer.cursor, atMs, open: [] });
  return (
    <nav class="pages" aria-label="Pages of results">
      {state.cursor !== '' && <a class="button small" href={first}>Newest</a>}
      {answer.cursor !== '' && <a class="button small" href={next} rel="next">Older traces</a>}
    </nav>
  );
}

function narrowed(state: SearchState, box: Box): SearchState {
  const form = queryToForm(state.query);
  const query = form === null ? state.query : formToQuery({
    ...form, traceMin: durationLiteral(box.lowNs), traceMax: durationLiteral(box.highNs),
  });
  const ns = (ms: number) => BigInt(Math.round(ms)) * 1_000_000n;
  return {
    ...state, query, cursor: '', open: [],
    range: { kind: 'fixed', startNs: ns(box.fromMs), endNs: ns(box.toMs) + 1_000_000n },
  };
}

function allServices(answer: SearchAnswer | null): ServiceColours {
  return new ServiceColours((answer?.traces ?? []).flatMap((trace) => [
    trace.rootService, ...trace.services.map((service) => service.name), ...trace.matches.map((match) => match.service),
  ]));
}

interface ResultsProps {
  state: SearchState;
  outcome: Outcome & { loading: boolean };
  onAgain: () => void;
  onQuery: (query: string) => void;
}

function ResultsLine({ state, answer, atMs }: { state: SearchState; answer: SearchAnswer; atMs: number }) {
  const isPart = answer.cursor !== '' || state.cursor !== '';
  const order = describeSort(readResultSort(state.sort));
  return (
    <div class="results-line">
      <span>
        <b>{plural(answer.traces.length, 'trace')}</b>, {order}
        {isPart && state.sort !== '' && state.sort !== kNewestFirst && <span class="dim"> among these; older traces are on the next page</span>}
      </span>
      <Cost answer={answer} />
      <span class="spring" />
      <button type="button" class="button small" aria-pressed={state.absolute} title="Show when each trace started, not how long ago"
        onClick={() => go(searchUrl({ ...state, absolute: !state.absolute }), true)}>Absolute times</button>
      <Pages state={state} answer={answer} atMs={atMs} />
    </div>
  );
}

function Results({ state, outcome, onAgain, onQuery }: ResultsProps) {
  const [hovered, setHovered] = useState('');
  const { answer, error, loading } = outcome;
  const colours = useMemo(() => allServices(answer), [answer]);
  const toggle = (id: string) => {
    const open = state.open.includes(id) ? state.open.filter((other) => other !== id) : [...state.open, id];
    go(searchUrl({ ...state, open }), true);
  };
  if (error !== null) return <SearchError query={state.query} error={error} onQuery={onQuery} onAgain={onAgain} />;
  if (answer === null) return null;
  const unknown = <UnknownNames query={state.query} hints={answer.hints ?? []} onQuery={onQuery} />;
  // How to send a first span stays while it is looked for: it has a choice and a place of its own.
  if (answer.traces.length === 0 && (!loading || answer.dataRange === null)) {
    return (
      <>
        {answer.partial !== '' && <Notice kind="warning">Not everything was searched: {answer.partial}</Notice>}
        {unknown}
        <NothingFound state={state} dataRange={answer.dataRange} onLook={() => { forgetNames(); onAgain(); }} />
      </>
    );
  }
  return (
    <div class={loading ? 'results-box stale' : 'results-box'} aria-busy={loading}>
      {answer.partial !== '' && <Notice kind="warning">Not everything was searched: {answer.partial}</Notice>}
      {unknown}
      <ScatterPlot traces={answer.traces} hovered={hovered} onHover={setHovered}
        onBox={(box) => go(searchUrl(narrowed(state, box)))} />
      <ResultsLine state={state} answer={answer} atMs={outcome.atMs} />
      <ResultTable traces={answer.traces} colours={colours} sort={readResultSort(state.sort)} absolute={state.absolute}
        open={state.open} hovered={hovered} nowMs={Date.now()} onHover={setHovered} onToggle={toggle}
        onSort={(sort) => go(searchUrl({ ...state, sort: sort === kNewestFirst ? '' : sort }), true)} />
      {answer.traces.length > 15 && <div class="results-line"><span class="spring" /><Pages state={state} answer={answer} atMs={outcome.atMs} /></div>}
    </div>
  );
}

// Moves the focus along the results; Enter then opens the trace as any link.
function focusTrace(by: number): void {
  const links = [...document.querySelectorAll<HTMLElement>('.results .root a')];
  const at = links.indexOf(document.activeElement as HTMLElement);
  links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
}

export function SearchPage() {
  const parameters = place.value.parameters;
  const state = readSearchUrl(parameters);
  const [turn, setTurn] = useState(0);
  const [draft, setDraft] = useState(state.query);
  const shown = useRef(state.query);
  const outcome = useSearch(state, turn);
  const wrongField = useRef('');

  useEffect(() => {
    document.title = 'Search · weft';
    // jaeger-ui's address becomes ours, so that it can be changed and shared.
    if (isJaegerSearch(parameters)) go(searchUrl(state), true);
  }, [parameters]);
  // The address has moved on (back, a link): the line follows.
  if (shown.current !== state.query) {
    shown.current = state.query;
    setDraft(state.query);
  }
  // Does what searches for the draft, unless the form has a field that is not in it.
  const whenRight = (search: () => void) => {
    if (wrongField.current === '') search();
    else document.getElementById(wrongField.current)?.focus();
  };
  const runNow = (query: string) => {
    const pasted = query.trim().startsWith('{') ? null : readPastedTrace(query, kIdDigits);
    if (pasted !== null) return go(pastedUrl(pasted));
    const url = searchUrl({ ...state, query, cursor: '', open: [] });
    if (url === searchUrl({ ...state, open: [] })) setTurn((last) => last + 1);
    go(url);
  };
  const run = (query: string) => whenRight(() => runNow(query));
  useKeys([
    {
      keys: ['/'], does: 'Edit the query', group: 'Search',
      run: () => (document.getElementById('query') as HTMLInputElement).focus(),
    },
    { keys: ['j'], does: 'Next trace', group: 'Search', run: () => focusTrace(1) },
    { keys: ['k'], does: 'Previous trace', group: 'Search', run: () => focusTrace(-1) },
    { keys: ['r'], does: 'Search again', group: 'Search', run: () => run(draft) },
  ]);
  const error = outcome.error;
  const column = error instanceof ApiError && draft === state.query ? error.column : null;
  return (
    <main class="page search">
      <h1 class="unseen">Search traces</h1>
      <form class="query-bar" role="search" aria-label="Traces" onSubmit={(event) => { event.preventDefault(); run(draft); }}>
        <QueryLine text={draft} errorColumn={column} onText={setDraft} onRun={run} />
        <RangePicker range={state.range} onRange={(range) => whenRight(() => go(searchUrl({ ...state, query: draft, range, cursor: '', open: [] })))} />
        <button type="submit" class="button primary">Search</button>
      </form>
      <div class="search-body">
        <QueryPanel query={draft} limit={state.limit} onQuery={setDraft} onRun={run}
          onLimit={(limit) => whenRight(() => go(searchUrl({ ...state, query: draft, limit, cursor: '', open: [] })))}
          onWrong={(fieldId) => (wrongField.current = fieldId)} />
        <section class="results-side" aria-label="Results">
          <ProgressLine active={outcome.loading} />
          <Results state={state} outcome={outcome} onAgain={() => setTurn((last) => last + 1)} onQuery={runNow} />
        </section>
      </div>
    </main>
  );
}
