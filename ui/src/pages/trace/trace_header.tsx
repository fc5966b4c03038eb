// SPDX-License-Identifier: Apache-2.0
//
// What the trace is, in two lines: root, facts, and the strip "where the time went".
import type { TraceColumns } from '../../model/trace_columns';
import { serviceColourIndex } from '../../model/palette';
import { describeTime, formatDuration, formatShare, formatTime, nsToMs, plural } from '../../model/units';
import { CopyButton } from '../../parts/copy_button';
import { Icon } from '../../parts/icon';
import { Notice } from '../../parts/page_states';
import { ServiceDot } from '../../parts/service_dot';
import type { TraceState } from './trace_state';

const kStripNames = 6;
// The server's own words for what a notice here says with more to it.
const kSaidAbove = /^The root span has not arrived/;

export function TraceHeaderLine({ columns }: { columns: TraceColumns }) {
  const { header } = columns;
  const startMs = nsToMs(header.startNs);
  const durationNs = Number(BigInt(header.endNs) - BigInt(header.startNs));
  return (
    <header class="trace-header">
      <h1 class="ellipsis">
        <ServiceDot name={header.rootService} /> <span class="dim">{header.rootService}</span> {header.rootName}
      </h1>
      <ul class="trace-facts">
        <li><b>{formatDuration(durationNs)}</b></li>
        <li title={describeTime(startMs)}>{formatTime(startMs)}</li>
        <li>{plural(header.spans, 'span')}</li>
        <li>{plural(header.services.length, 'service')}</li>
        <li>{plural(header.depth, 'level')}</li>
        <li>{header.errors > 0
          ? <span class="error-text error-mark"><Icon name="error" />{plural(header.errors, 'error')}</span>
          : 'no errors'}</li>
        <li>{plural(header.logs, 'log line')}</li>
        <li class="trace-id"><code class="dim">{header.traceId}</code><CopyButton text={header.traceId} label="Copy the trace id" /></li>
      </ul>
    </header>
  );
}

export function TraceNotices({ state }: { state: TraceState }) {
  const { header } = state.columns.value!;
  const skewed = header.skewCorrected > 0;
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
      {skewed && (
        <Notice kind="info">
          The clocks of some services disagree: {plural(header.skewCorrected, 'span')} {state.skew.value ? 'moved' : 'to be moved'} to lie within {header.skewCorrected === 1 ? 'its caller' : 'their callers'}.{' '}
          <button type="button" class="text-button" aria-pressed={!state.skew.value}
            onClick={() => { state.setSkew(!state.skew.value); state.push(); }}>
            {state.skew.value ? 'Show times as received' : 'Show corrected times'}
          </button>
        </Notice>
      )}
      {header.duplicates > 0 && <Notice kind="info">{plural(header.duplicates, 'duplicate span')} left out.</Notice>}
      {header.warnings.filter((warning) => !kSaidAbove.test(warning)).map((warning) => <Notice key={warning} kind="info">{warning}</Notice>)}
    </>
  );
}

// Time on the critical path by service, largest first. A click shows that service alone.
export function TimeStrip({ state }: { state: TraceState }) {
  const columns = state.columns.value!;
  const { selfByService, services } = columns.header;
  const total = selfByService.reduce((sum, pair) => sum + pair[1], 0);
  if (total <= 0) return null;
  const shares = [...selfByService].sort((a, b) => b[1] - a[1]);
  let at = 0;
  const rest = shares.slice(kStripNames);
  const restNs = rest.reduce((sum, pair) => sum + pair[1], 0);
  return (
    <section class="time-strip" aria-label="Where the time went">
      <h2>Where the time went</h2>
      <svg width="100%" height="8" preserveAspectRatio="none" aria-hidden="true">
        {shares.map(([service, ns]) => {
          const x = (100 * at) / total;
          at += ns;
          return <rect key={service} class={`bar service-${serviceColourIndex(services[service]!)}`} x={`${x}%`} width={`${(100 * ns) / total}%`} height="8" />;
        })}
      </svg>
      <ol>
        {shares.slice(0, kStripNames).map(([service, ns]) => (
          <li key={service}>
            <button type="button" class="strip-name" title={`Show only ${services[service]}`}
              onClick={() => state.setFilter({ services: new Set([service]) })}>
              <ServiceDot name={services[service]!} />{services[service]}{' '}
              <b>{formatDuration(ns)}</b> <span class="dim">{formatShare(ns / total)}</span>
            </button>
          </li>
        ))}
        {rest.length > 0 && <li class="dim">{plural(rest.length, 'more service')} {formatDuration(restNs)}</li>}
      </ol>
    </section>
  );
}
