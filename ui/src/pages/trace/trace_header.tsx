// SPDX-License-Identifier: Apache-2.0
//
// What the trace is, in two lines: root, facts, and the strip "where the time went".
import { traceUrl } from '../../model/trace_url';
import { comparedDurations, describeTime, formatCount, formatDuration, formatShare, formatTime, nsToMs, plural } from '../../model/units';
import { CopyButton } from '../../parts/copy_button';
import { Icon } from '../../parts/icon';
import { Notice } from '../../parts/page_states';
import { ServiceDot } from '../../parts/service_dot';
import { useWidth } from '../../parts/use_width';
import type { TraceState } from './trace_state';

const kStripNames = 6;
const kStripNamesNarrow = 3;
const kNarrow = 560;
// The server's own words for what a notice here says with more to it.
const kSaidAbove = /^The root span has not arrived/;

export function TraceHeaderLine({ state }: { state: TraceState }) {
  const columns = state.columns.value!;
  void state.version.value;
  const { header } = columns;
  const startMs = nsToMs(header.startNs) + columns.fullStart / 1e6;
  const dated = header.startNs !== '0';
  return (
    <header class="trace-header">
      <h1>
        <ServiceDot name={header.rootService} colours={columns.colours} /> <span class="dim">{header.rootService}</span> {header.rootName}
      </h1>
      <ul class="trace-facts">
        <li><b>{dated ? formatDuration(columns.fullEnd - columns.fullStart) : 'no time'}</b></li>
        {dated && <li title={describeTime(startMs)}>{formatTime(startMs)}</li>}
        <li>{plural(header.spans, 'span')}</li>
        <li>{plural(header.services.length, 'service')}</li>
        <li>{plural(header.depth, 'level')}</li>
        <li>{header.errors > 0
          ? <span class="error-text error-mark"><Icon name="error" />{plural(header.errors, 'error')}</span>
          : 'no errors'}</li>
        <li>{header.logs > 0
          ? <a href={traceUrl(header.traceId, { view: 'logs' })}>{plural(header.logs, 'log line')}</a>
          : 'no log lines'}</li>
        <li class="trace-id"><code class="dim">{header.traceId}</code><CopyButton text={header.traceId} label="Copy the trace id" /></li>
      </ul>
    </header>
  );
}

// What was moved, clock by clock, and what could not be made to fit.
function ClockNotice({ state }: { state: TraceState }) {
  const { header } = state.columns.value!;
  const clocks = (header.clocks ?? []).filter((clock) => clock.shiftNs !== 0 || clock.inconsistent || clock.beyondLimit);
  const moved = header.skewCorrected > 0;
  if (!moved && clocks.length === 0) return null;
  const unsolved = clocks.some((clock) => clock.inconsistent || clock.beyondLimit);
  const shown = state.skew.value;
  return (
    <Notice kind={unsolved ? 'warning' : 'info'}>
      {moved
        ? <>The clocks of some services disagree: {plural(header.skewCorrected, 'span')} {!shown ? 'would be moved' : header.skewCorrected === 1 ? 'is moved' : 'are moved'}. </>
        : 'The clocks of some services disagree; nothing was moved. '}
      {moved && (
        <button type="button" class="text-button" aria-pressed={!shown}
          onClick={() => { state.setSkew(!shown); state.push(); }}>
          {shown ? 'Show times as received' : 'Show corrected times'}
        </button>
      )}
      {clocks.length > 0 && (
        <ul class="clocks">
          {clocks.map((clock) => (
            <li key={clock.row}>
              <button type="button" class="text-button plain" title={clock.host === '' ? 'Show its first span' : `Host ${clock.host}: show its first span`}
                onClick={() => state.showRow(clock.row)}>{clock.text}</button>
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

export function TraceNotices({ state }: { state: TraceState }) {
  const { header } = state.columns.value!;
  return (
    <>
      {state.error.value !== null && !state.loading.value && (
        <Notice kind="warning">
          Only {plural(state.columns.value!.count, 'span')} of {plural(header.spans, 'span')} could be read: {state.error.value.message}{' '}
          <button type="button" class="text-button" onClick={() => void state.load()}>Read again</button>
        </Notice>
      )}
      {header.rootMissing && (
        <Notice kind="warning">
          The root span has not arrived; the earliest span stands in its place. This page looks for it by itself.
        </Notice>
      )}
      <ClockNotice state={state} />
      {header.duplicates > 0 && <Notice kind="info">{plural(header.duplicates, 'duplicate span')} left out.</Notice>}
      {header.warnings.filter((warning) => !kSaidAbove.test(warning)).map((warning) => <Notice key={warning} kind="info">{warning}</Notice>)}
    </>
  );
}

// Time on the critical path by service, largest first. A click shows that service alone.
export function TimeStrip({ state }: { state: TraceState }) {
  void state.version.value;
  return state.columns.value!.pathNs > 0 ? <Strip state={state} /> : null;
}

function Strip({ state }: { state: TraceState }) {
  const columns = state.columns.value!;
  void state.version.value;
  const { services } = columns.header;
  const { selfByService, pathNs: total } = columns;
  const { ref, width } = useWidth<HTMLElement>();
  const shares = [...selfByService].sort((a, b) => b[1] - a[1]);
  const named = shares.slice(0, width > kNarrow ? kStripNames : kStripNamesNarrow);
  const rest = shares.slice(named.length);
  const restNs = rest.reduce((sum, pair) => sum + pair[1], 0);
  const format = comparedDurations(named.map((share) => share[1]));
  let at = 0;
  return (
    <section class="time-strip" aria-label="Where the time went" ref={ref}>
      <h2 title="Own time of each service on the critical path">Where the time went</h2>
      <svg width="100%" height="8" preserveAspectRatio="none" aria-hidden="true">
        {shares.map(([service, ns]) => {
          const x = (100 * at) / total;
          at += ns;
          return <rect key={service} fill={columns.colours.of(services[service]!)} x={`${x}%`} width={`${(100 * ns) / total}%`} height="8" />;
        })}
      </svg>
      <ol>
        {named.map(([service, ns]) => (
          <li key={service}>
            <button type="button" class="strip-name" title={`Show only ${services[service]}`}
              onClick={() => state.setFilter({ services: new Set([service]) })}>
              <ServiceDot name={services[service]!} colours={columns.colours} />{services[service]}{' '}
              <b>{format(ns)}</b> <span class="dim">{formatShare(ns / total)}</span>
            </button>
          </li>
        ))}
        {rest.length > 0 && (
          <li class="strip-rest dim" title={rest.map(([service, ns]) => `${services[service]} ${formatDuration(ns)}`).join('\n')}>
            +{formatCount(rest.length)} more {formatDuration(restNs)} {formatShare(restNs / total)}
          </li>
        )}
      </ol>
    </section>
  );
}
