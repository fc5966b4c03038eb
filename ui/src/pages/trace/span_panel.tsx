// SPDX-License-Identifier: Apache-2.0
//
// The selected span, beside the waterfall: what the columns know at once, attributes, logs and links
// when they have come. Next: pages/trace/attribute_list.tsx.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SpanCache } from '../../api/span_cache';
import type { KeyValue, SpanDetails } from '../../api/types';
import { kFlagCopy, kFlagFollows, kKindNames, type TraceColumns } from '../../model/trace_columns';
import { searchUrl } from '../../model/search_url';
import { emptyForm, formToQuery } from '../../model/query_form';
import { traceUrl } from '../../model/trace_url';
import { describeTime, formatCount, formatDuration, formatShare, formatShift, formatTime, nsToMs, plural } from '../../model/units';
import { CopyButton } from '../../parts/copy_button';
import { Icon } from '../../parts/icon';
import { Failed, useSlow } from '../../parts/page_states';
import { ServiceDot } from '../../parts/service_dot';
import { AttributeList, valueText } from './attribute_list';
import type { TraceState } from './trace_state';

function useDetails(cache: SpanCache, row: number, version: number) {
  const [details, setDetails] = useState<SpanDetails | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let here = true;
    setError(null);
    cache.get(row).then(
      (span) => here && setDetails(span),
      (failure: Error) => here && setError(failure),
    );
    return () => { here = false; };
  }, [cache, row, version, turn]);
  const current = details !== null && details.row === row ? details : null;
  return { details: current, error, again: () => setTurn(turn + 1) };
}

// What there is to say of an end that makes no duration; null of any other.
function EarlyEnd({ details }: { details: SpanDetails | null }) {
  if (details === null || details.startNs === '0') return null;
  const ns = BigInt(details.startNs) - BigInt(details.endNs);
  if (ns <= 0n) return null;
  return (
    <div><dt>Ends at</dt><dd class="ends-early">
      {details.endNs === '0' ? 'no end was given' : `${formatDuration(Number(ns))} before its start`}: its duration counts as 0
    </dd></div>
  );
}

function Facts({ columns, row, details }: { columns: TraceColumns; row: number; details: SpanDetails | null }) {
  const total = columns.pathNs;
  const startMs = nsToMs(columns.header.startNs) + columns.startOf(row) / 1e6;
  const duration = columns.duration[row]!;
  const skew = columns.skew[row]!;
  const flags = columns.flags[row]!;
  const clock = (columns.header.clocks ?? []).find((one) => one.shiftNs === skew && one.service === columns.serviceOf(row));
  return (
    <dl class="facts">
      <div><dt>Duration</dt><dd><b>{formatDuration(duration)}</b></dd></div>
      <div><dt>Own time</dt><dd>{formatDuration(columns.self[row]!)} <span class="dim">{duration > 0 && formatShare(columns.self[row]! / duration)}</span></dd></div>
      <div><dt>Critical path</dt><dd>{columns.critical[row]! > 0
        ? <>{formatDuration(columns.critical[row]!)} <span class="dim">{total > 0 && formatShare(columns.critical[row]! / total)} of the path</span></>
        : <span class="dim">no</span>}</dd></div>
      <div><dt>Starts at</dt>{columns.hasTime(row)
        ? <dd title={describeTime(startMs)}>+{formatDuration(columns.offsetOf(row))} <span class="dim">{formatTime(startMs, false)}</span></dd>
        : <dd>no start was given: the span is in no plot</dd>}</div>
      <EarlyEnd details={details} />
      <div><dt>Kind</dt><dd>{kKindNames[columns.kind[row]!] ?? 'unknown'}</dd></div>
      {skew !== 0 && (
        <div><dt>Clock</dt><dd title={clock?.text}>
          {columns.skewShown ? 'moved by' : 'as received; the correction moves it by'} {formatShift(skew)}
          {columns.skewShown && <span class="dim"> (received {formatTime(startMs - skew / 1e6, false)})</span>}
        </dd></div>
      )}
      {(flags & kFlagFollows) !== 0 && <div><dt>Relation</dt><dd>follows from its parent, which does not wait for it</dd></div>}
      {(flags & kFlagCopy) !== 0 && <div><dt>Same id</dt><dd>another span of this trace has this id and stands for it in own time and critical path</dd></div>}
    </dl>
  );
}

interface Moment {
  offset: number; // ns after the trace's start
  what: 'event' | 'log';
  title: string;
  severity: string;
  isError: boolean;
  attributes: KeyValue[];
}

function momentsOf(details: SpanDetails, columns: TraceColumns, row: number): Moment[] {
  const base = BigInt(columns.header.startNs);
  const skew = columns.shiftOf(row);
  const offset = (ns: string) => Number(BigInt(ns) - base) + skew;
  const moments: Moment[] = [
    ...details.events.map((event) => ({
      offset: offset(event.timeNs), what: 'event' as const, title: event.name, severity: '',
      isError: event.name === 'exception', attributes: event.attributes,
    })),
    ...details.logs.map((log) => ({
      offset: offset(log.timeNs), what: 'log' as const, title: valueText(log.body) || log.eventName, severity: log.severity,
      isError: log.severityNumber >= 17, attributes: log.attributes,
    })),
  ];
  return moments.sort((a, b) => a.offset - b.offset);
}

function Moments({ details, columns, row, wanted }: {
  details: SpanDetails; columns: TraceColumns; row: number; wanted: number;
}) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (wanted > 0) box.current?.scrollIntoView({ block: 'start' });
  }, [wanted, details]);
  const moments = momentsOf(details, columns, row);
  if (moments.length === 0) return null;
  const start = columns.startOf(row);
  const duration = Math.max(1, columns.duration[row]!);
  const x = (offset: number) => `${Math.max(0, Math.min(100, (100 * (offset - start)) / duration))}%`;
  return (
    <section class="panel-part" ref={box}>
      <h3>Logs and events <span class="dim">{formatCount(moments.length)}</span></h3>
      <svg class="moment-axis" width="100%" height="14" role="img" aria-label="When they happened within the span">
        <rect class="axis-line" x="0" y="6" width="100%" height="2" />
        {moments.map((moment, index) => (
          <circle key={index} class={moment.isError ? 'bad' : moment.what} cx={x(moment.offset)} cy="7" r="3.5" />
        ))}
      </svg>
      <ol class="moments">
        {moments.map((moment, index) => (
          <li key={index}>
            <details>
              <summary>
                <span class="dim num">+{formatDuration(moment.offset - start)}</span>
                <span class={moment.isError ? 'error-text tag' : 'dim tag'}>
                  {moment.isError && '! '}{moment.what === 'event' ? 'event' : moment.severity || 'log'}
                </span>
                <span class="moment-title">{moment.title}</span>
              </summary>
              {moment.attributes.length > 0
                ? <AttributeList attributes={moment.attributes} scope={moment.what === 'event' ? 'event' : ''} />
                : <p class="dim">No attributes.</p>}
            </details>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Group({ title, attributes, scope, open = true }: {
  title: string; attributes: KeyValue[]; scope: string; open?: boolean;
}) {
  if (attributes.length === 0) return null;
  return (
    <details class="panel-part" open={open}>
      <summary><h3>{title} <span class="dim">{formatCount(attributes.length)}</span></h3></summary>
      <AttributeList attributes={attributes} scope={scope} />
    </details>
  );
}

function Links({ details, traceId }: { details: SpanDetails; traceId: string }) {
  if (details.links.length === 0) return null;
  return (
    <section class="panel-part">
      <h3>Links <span class="dim">{formatCount(details.links.length)}</span></h3>
      <ul class="links">
        {details.links.map((link) => (
          <li key={link.traceId + link.spanId}>
            <a class="mono" href={traceUrl(link.traceId, { span: link.spanId })}>
              {link.traceId === traceId ? 'this trace' : link.traceId} / {link.spanId}
            </a>
            {link.attributes.length > 0 && <AttributeList attributes={link.attributes} scope="link" />}
          </li>
        ))}
      </ul>
      <a class="dim" href={searchUrl({ query: `{ link:spanID = "${details.spanId}" }`, range: { kind: 'all' } })}>Spans that link to this one</a>
    </section>
  );
}

function scopeAttributes(details: SpanDetails): KeyValue[] {
  const { name, version, attributes } = details.scope;
  const own: KeyValue[] = [];
  if (name !== '') own.push({ key: 'name', type: 'string', value: name });
  if (version !== '') own.push({ key: 'version', type: 'string', value: version });
  return [...own, ...attributes];
}

function dropped(details: SpanDetails): string {
  const parts = [
    details.droppedAttributes > 0 ? plural(details.droppedAttributes, 'attribute') : '',
    details.droppedEvents > 0 ? plural(details.droppedEvents, 'event') : '',
    details.droppedLinks > 0 ? plural(details.droppedLinks, 'link') : '',
  ].filter((part) => part !== '');
  return parts.join(', ');
}

function Contents({ details, columns, row, traceId, logsWanted }: {
  details: SpanDetails; columns: TraceColumns; row: number; traceId: string; logsWanted: number;
}) {
  return (
    <>
      {details.status === 'error' && (
        <p class="span-error"><Icon name="error" /><span>{details.statusMessage || 'The span has status error.'}</span></p>
      )}
      {dropped(details) !== '' && <p class="dim">The sender dropped {dropped(details)}.</p>}
      <Group title="Span" attributes={details.attributes} scope="span" />
      <Moments details={details} columns={columns} row={row} wanted={logsWanted} />
      <Links details={details} traceId={traceId} />
      <Group title="Resource" attributes={details.resource} scope="resource" />
      <Group title="Scope" attributes={scopeAttributes(details)} scope="instrumentation" open={false} />
      {details.traceState !== '' && (
        <section class="panel-part"><h3>Trace state</h3><code class="value">{details.traceState}</code></section>
      )}
    </>
  );
}

export function SpanPanel({ state, cache }: { state: TraceState; cache: SpanCache }) {
  const columns = state.columns.value!;
  const row = state.selected.value;
  const { details, error, again } = useDetails(cache, row, state.version.value);
  const slow = useSlow(details === null && error === null);
  void state.skew.value;
  const service = columns.serviceOf(row);
  const name = columns.nameOf(row);
  const id = columns.idOf(row);
  const parent = columns.parent[row]!;
  const like = searchUrl({ query: formToQuery({ ...emptyForm(), service, operation: name }) });
  return (
    <aside class="span-panel" aria-label="Selected span">
      <header>
        <h2><ServiceDot name={service} colours={columns.colours} /> <span class="dim">{service}</span> {name}</h2>
        <button type="button" class="icon-button" aria-label="Close the details" title="Close (Esc)" onClick={() => state.select(-1)}>
          <Icon name="close" />
        </button>
      </header>
      <div class="span-panel-body" tabIndex={0}>
        <Facts columns={columns} row={row} details={details} />
        <p class="span-links">
          <code class="dim">{id}</code><CopyButton text={id} label="Copy the span id" />
          {parent >= 0 && <button type="button" class="text-button" onClick={() => state.showRow(parent)}>parent</button>}
          <a href={like}>spans like this</a>
        </p>
        {error !== null && <Failed title="The details could not be read" error={error} retry={again} />}
        {slow && <p class="dim" role="status">Loading</p>}
        {details !== null && <Contents details={details} columns={columns} row={row} traceId={state.traceId} logsWanted={state.logsWanted.value} />}
      </div>
    </aside>
  );
}
