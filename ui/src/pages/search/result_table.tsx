// SPDX-License-Identifier: Apache-2.0
//
// The traces found: one row each, the spans that matched folded under it. Every column sorts the page
// of results. Next: model/result_sort.ts.
import { Fragment } from 'preact';
import type { Match, TraceSummary } from '../../api/types';
import { fitCount } from '../../model/fit_names';
import type { ServiceColours } from '../../model/palette';
import { sortTraces } from '../../model/result_sort';
import type { Sort } from '../../model/span_table';
import { traceUrl } from '../../model/trace_url';
import {
  columnDurations, describeTime, formatCount, formatDuration, formatRelative, formatShare, formatTime, nsToMs, plural,
} from '../../model/units';
import { Icon } from '../../parts/icon';
import { NamePair } from '../../parts/name_pair';
import { ServiceDot } from '../../parts/service_dot';
import { SortHeading, type Heading } from '../../parts/sort_heading';
import { textWidth } from '../../parts/text_width';
import { useWidth } from '../../parts/use_width';

const kShareBar = 56;
const kChipGap = 10;
const kDot = 13; // with the gap behind it
const kChipText = 12;
const kWide = 560;
const kFinerNarrow = 1;

const kHeadings: readonly Heading[] = [
  { column: 'matched', label: 'Matched', number: false, falls: true }, { column: 'started', label: 'Started', number: false, falls: true },
  { column: 'root', label: 'Root', number: false }, { column: 'duration', label: 'Duration', number: true },
  { column: '', label: '', number: false, class: 'bar' }, { column: 'spans', label: 'Spans', number: true },
  { column: 'errors', label: 'Errors', number: true },
  { column: 'services', label: 'Services', number: false, falls: true, title: 'Sorts by how many; shown by share of spans' },
];

function ShareBar({ trace, colours }: { trace: TraceSummary; colours: ServiceColours }) {
  let at = 0;
  return (
    <svg class="share-bar" width={kShareBar} height="8" aria-hidden="true">
      {trace.services.map((service) => {
        const x = (kShareBar * at) / trace.spans;
        at += service.spans;
        return (
          <rect key={service.name} fill={colours.of(service.name)} x={x}
            width={(kShareBar * service.spans) / trace.spans} height="8" />
        );
      })}
    </svg>
  );
}

// As many services as have room, each with its whole name.
function Chips({ trace, colours, room }: { trace: TraceSummary; colours: ServiceColours; room: number }) {
  const { services } = trace;
  const widths = services.map((service) => kDot + textWidth(service.name, kChipText) + (service.errors > 0 ? 8 : 0) + 1);
  const fitting = fitCount(widths, kChipGap, room, textWidth(`+${services.length}`, kChipText) + 2);
  const names = services.slice(fitting).map((service) => service.name).join(', ');
  return (
    <ul class="chips" aria-label="Services">
      {services.slice(0, fitting).map((service) => (
        <li key={service.name} class="chip"
          title={`${service.name}: ${plural(service.spans, 'span')} (${formatShare(service.spans / trace.spans)}), ${plural(service.errors, 'error')}`}>
          <ServiceDot name={service.name} colours={colours} />
          <span>{service.name}</span>
          {service.errors > 0 && <span class="error-text" aria-label="with errors">!</span>}
        </li>
      ))}
      {fitting < services.length && (
        <li class="chip dim" title={names}>
          {fitting === 0 ? formatCount(services.length) : `+${services.length - fitting}`}<span class="unseen">: {names}</span>
        </li>
      )}
    </ul>
  );
}

function MatchRow({ trace, match, colours, format }: {
  trace: TraceSummary; match: Match; colours: ServiceColours; format: (ns: number) => string;
}) {
  const href = traceUrl(trace.traceId, { span: match.spanId });
  const offset = Number(BigInt(match.startNs) - BigInt(trace.startNs));
  return (
    <li class="match">
      <ServiceDot name={match.service} colours={colours} />
      <a href={href}><NamePair service={match.service} name={match.name} /></a>
      {match.error && <span class="error-text error-mark"><Icon name="error" />error</span>}
      <span class="dim num">{match.startNs === '0' ? 'no time' : `+${formatDuration(Math.max(0, offset))}`}</span>
      <span class="num">{format(match.durationNs)}</span>
      <span class="mono dim ellipsis">
        {Object.entries(match.attributes).map(([key, value]) => `${key}=${value}`).join('  ')}
      </span>
    </li>
  );
}

interface Props {
  traces: readonly TraceSummary[];
  colours: ServiceColours;
  sort: Sort;
  absolute: boolean;
  open: readonly string[];
  hovered: string;
  nowMs: number;
  onHover: (traceId: string) => void;
  onToggle: (traceId: string) => void;
  onSort: (sort: string) => void;
}

function When({ trace, props }: { trace: TraceSummary; props: Props }) {
  if (trace.startNs === '0') return <td class="when dim">no time</td>;
  const startMs = nsToMs(trace.startNs);
  const text = props.absolute ? formatTime(startMs) : formatRelative(startMs, props.nowMs);
  return (
    <td class="when dim" title={describeTime(startMs)}>
      <time dateTime={new Date(startMs).toISOString()}>{text}</time>
    </td>
  );
}

interface RowProps {
  trace: TraceSummary;
  props: Props;
  longest: number;
  format: (ns: number) => string;
  room: number;
}

function Matches({ trace, props }: { trace: TraceSummary; props: Props }) {
  const more = trace.matched - trace.matches.length;
  const format = columnDurations(trace.matches.map((match) => match.durationNs));
  return (
    <tr class="matches">
      <td colSpan={8}>
        <ul>
          {trace.matches.map((match) => <MatchRow key={match.spanId} trace={trace} match={match} colours={props.colours} format={format} />)}
          {more > 0 && <li class="dim match">and {plural(more, 'more matching span')}: <a href={traceUrl(trace.traceId)}>open the trace</a></li>}
        </ul>
      </td>
    </tr>
  );
}

function TraceRow({ trace, props, longest, format, room }: RowProps) {
  const isOpen = props.open.includes(trace.traceId);
  const { colours } = props;
  return (
    <tr class={trace.traceId === props.hovered ? 'hovered' : undefined} data-trace={trace.traceId}
      onMouseEnter={() => props.onHover(trace.traceId)} onMouseLeave={() => props.onHover('')}>
      <td class="fold">
        <button type="button" class="icon-button" aria-expanded={isOpen}
          aria-label={`${plural(trace.matched, 'matching span')} of ${trace.rootName}`}
          onClick={() => props.onToggle(trace.traceId)}>
          <span class={`caret${isOpen ? ' open' : ''}`}><Icon name="chevron" /></span>
          <span class="dim">{formatCount(trace.matched)}</span>
        </button>
      </td>
      <When trace={trace} props={props} />
      <td class="root">
        <a href={traceUrl(trace.traceId)}>
          <ServiceDot name={trace.rootService} colours={colours} />
          <NamePair service={trace.rootService} name={trace.rootMissing ? `${trace.rootName} (root missing)` : trace.rootName} />
        </a>
      </td>
      <td class="num duration">{format(trace.durationNs)}</td>
      <td class="bar">
        <svg width="100%" height="8" aria-hidden="true" preserveAspectRatio="none">
          <rect width={`${Math.max(0.7, (100 * trace.durationNs) / longest)}%`} height="8" rx="1" />
        </svg>
      </td>
      <td class="num">{formatCount(trace.spans)}</td>
      <td class="num">
        {trace.errors > 0
          ? <span class="error-text error-mark"><Icon name="error" />{formatCount(trace.errors)}</span>
          : <span class="unseen">none</span>}
      </td>
      <td title={trace.services.map((service) => `${service.name} ${formatShare(service.spans / trace.spans)}`).join(', ')}>
        <div class="services"><ShareBar trace={trace} colours={colours} /><Chips trace={trace} colours={colours} room={room} /></div>
      </td>
    </tr>
  );
}

export function ResultTable(props: Props) {
  const durations = props.traces.map((trace) => trace.durationNs);
  const longest = Math.max(1, ...durations);
  const { ref, width } = useWidth<HTMLTableElement>();
  // A narrow table has no room for the last differences.
  const format = columnDurations(durations, width > kWide ? undefined : kFinerNarrow);
  // The column of the services has what the others leave: it is measured, not known.
  const cell = ref.current?.tHead?.rows[0]?.cells[7]?.clientWidth ?? 0;
  const room = width > 0 ? cell - kShareBar - kChipGap - 17 : 0;
  return (
    <table class={`results${props.absolute ? ' absolute' : ''}`} ref={ref}>
      <thead>
        <tr>
          {kHeadings.map((heading) => heading.label === ''
            ? <th key="bar" scope="col" class="bar"><span class="unseen">Duration compared</span></th>
            : <SortHeading key={heading.label} heading={heading} sort={props.sort} onSort={props.onSort} />)}
        </tr>
      </thead>
      <tbody>
        {sortTraces(props.traces, props.sort).map((trace) => (
          <Fragment key={trace.traceId}>
            <TraceRow trace={trace} props={props} longest={longest} format={format} room={room} />
            {props.open.includes(trace.traceId) && <Matches trace={trace} props={props} />}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}
