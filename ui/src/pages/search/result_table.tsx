// SPDX-License-Identifier: Apache-2.0
//
// The traces found: one row each, the spans that matched folded under it.
import type { Match, TraceSummary } from '../../api/types';
import { serviceColourIndex } from '../../model/palette';
import { traceUrl } from '../../model/trace_url';
import {
  describeTime, formatCount, formatDuration, formatRelative, formatShare, formatTime, nsToMs, plural,
} from '../../model/units';
import { Icon } from '../../parts/icon';
import { ServiceDot } from '../../parts/service_dot';

const kChips = 4;

function ShareBar({ trace }: { trace: TraceSummary }) {
  let at = 0;
  return (
    <svg class="share-bar" width="56" height="8" aria-hidden="true">
      {trace.services.map((service) => {
        const x = (56 * at) / trace.spans;
        at += service.spans;
        return (
          <rect key={service.name} class={`service-${serviceColourIndex(service.name)}`} x={x}
            width={(56 * service.spans) / trace.spans} height="8" />
        );
      })}
    </svg>
  );
}

function Chips({ trace }: { trace: TraceSummary }) {
  const rest = trace.services.length - kChips;
  const names = trace.services.slice(kChips).map((service) => service.name).join(', ');
  return (
    <ul class="chips" aria-label="Services">
      {trace.services.slice(0, kChips).map((service) => (
        <li key={service.name} class="chip"
          title={`${service.name}: ${plural(service.spans, 'span')} (${formatShare(service.spans / trace.spans)}), ${plural(service.errors, 'error')}`}>
          <ServiceDot name={service.name} />
          <span class="ellipsis">{service.name}</span>
          {service.errors > 0 && <span class="error-text" aria-label="with errors">!</span>}
        </li>
      ))}
      {rest > 0 && <li class="chip more dim" title={names}>+{rest}</li>}
    </ul>
  );
}

function MatchRow({ trace, match }: { trace: TraceSummary; match: Match }) {
  const href = traceUrl(trace.traceId, { span: match.spanId });
  const offset = nsToMs(match.startNs) - nsToMs(trace.startNs);
  return (
    <li class="match">
      <ServiceDot name={match.service} />
      <a href={href} class="ellipsis">{match.service} <b>{match.name}</b></a>
      {match.error && <span class="error-text error-mark"><Icon name="error" />error</span>}
      <span class="dim num">+{formatDuration(Math.max(0, offset) * 1e6)}</span>
      <span class="num">{formatDuration(match.durationNs)}</span>
      <span class="mono dim ellipsis">
        {Object.entries(match.attributes).map(([key, value]) => `${key}=${value}`).join('  ')}
      </span>
    </li>
  );
}

interface Props {
  traces: readonly TraceSummary[];
  open: readonly string[];
  hovered: string;
  nowMs: number;
  onHover: (traceId: string) => void;
  onToggle: (traceId: string) => void;
}

function TraceRow({ trace, props, longest }: { trace: TraceSummary; props: Props; longest: number }) {
  const isOpen = props.open.includes(trace.traceId);
  const startMs = nsToMs(trace.startNs);
  const href = traceUrl(trace.traceId);
  const more = trace.matched - trace.matches.length;
  return (
    <>
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
        <td class="when dim" title={describeTime(startMs)}>
          <time dateTime={new Date(startMs).toISOString()}>{formatRelative(startMs, props.nowMs)}</time>
        </td>
        <td class="root">
          <a href={href} class="ellipsis">
            <ServiceDot name={trace.rootService} />
            <span class="dim">{trace.rootService}</span> <b>{trace.rootName}</b>
            {trace.rootMissing && <span class="dim"> (root missing)</span>}
          </a>
        </td>
        <td class="num duration">{formatDuration(trace.durationNs)}</td>
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
        <td title={trace.services.map((service) => `${service.name} ${formatShare(service.spans / trace.spans)}`).join(', ')}><div class="services"><ShareBar trace={trace} /><Chips trace={trace} /></div></td>
      </tr>
      {isOpen && (
        <tr class="matches">
          <td colSpan={8}>
            <ul>
              {trace.matches.map((match) => <MatchRow key={match.spanId} trace={trace} match={match} />)}
              {more > 0 && <li class="dim match">and {plural(more, 'more matching span')}: <a href={href}>open the trace</a></li>}
            </ul>
          </td>
        </tr>
      )}
    </>
  );
}

export function ResultTable(props: Props) {
  const longest = Math.max(1, ...props.traces.map((trace) => trace.durationNs));
  return (
    <table class="results">
      <thead>
        <tr>
          <th scope="col">Matched</th>
          <th scope="col" title={formatTime(props.nowMs)}>Started</th>
          <th scope="col">Root</th>
          <th scope="col" class="num">Duration</th>
          <th scope="col" class="bar"><span class="unseen">Duration compared</span></th>
          <th scope="col" class="num">Spans</th>
          <th scope="col" class="num">Errors</th>
          <th scope="col">Services<span class="aside">, by share of spans</span></th>
        </tr>
      </thead>
      <tbody>
        {props.traces.map((trace) => (
          <TraceRow key={trace.traceId} trace={trace} props={props} longest={longest} />
        ))}
      </tbody>
    </table>
  );
}
