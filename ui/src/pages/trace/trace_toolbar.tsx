// SPDX-License-Identifier: Apache-2.0
//
// Views, find with its counts, and what is shown: services, errors, critical path, folding.
import { filters, kNoFilter } from '../../model/visible_rows';
import { kTraceViews, type TraceView } from '../../model/trace_url';
import { formatCount, plural } from '../../model/units';
import { Icon } from '../../parts/icon';
import { ServiceDot } from '../../parts/service_dot';
import { useMenu } from '../../parts/use_menu';
import { Legend } from './legend';
import type { TraceState } from './trace_state';

const kViewNames: Record<TraceView, string> = { waterfall: 'Waterfall', table: 'Table', logs: 'Logs', json: 'JSON' };

function FindBox({ state }: { state: TraceState }) {
  const found = state.found.value;
  const text = state.find.value;
  const failed = state.findFailed.value;
  const counts = found === null ? '' : [
    [found.counts.name, 'name'], [found.counts.attribute, 'attribute'], [found.counts.event, 'event'], [found.counts.log, 'log'],
  ].filter(([count]) => (count as number) > 0).map(([count, what]) => plural(count as number, what as string)).join(', ');
  const at = found === null ? -1 : found.rows.indexOf(state.selected.value);
  return (
    <div class="find" role="search" aria-label="Find in the trace">
      <input id="find" class="field small" type="text" placeholder="Find in names, tags, logs" value={text} autocomplete="off"
        spellcheck={false} aria-label="Find in the trace" aria-invalid={failed !== ''}
        onInput={(event) => state.search(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') {
            event.preventDefault();
            state.nextFound(!event.shiftKey);
          } else if (event.key === 'Escape') {
            event.preventDefault();
            if (text !== '') state.search('');
            event.currentTarget.blur();
          }
        }} />
      {text !== '' && (
        <>
          <span class="find-count" role="status">
            {failed !== '' ? <span class="error-text">{failed}</span> : found === null ? '' : found.rows.length === 0
              ? 'nothing' : `${at >= 0 ? `${formatCount(at + 1)} of ` : ''}${plural(found.rows.length, 'span')}`}
            {counts !== '' && <span class="dim"> ({counts})</span>}
          </span>
          <button type="button" class="icon-button" aria-label="Previous" title="Previous (N)" onClick={() => state.nextFound(false)}><Icon name="up" /></button>
          <button type="button" class="icon-button" aria-label="Next" title="Next (n)" onClick={() => state.nextFound(true)}><Icon name="down" /></button>
        </>
      )}
    </div>
  );
}

function ServiceMenu({ state }: { state: TraceState }) {
  const { open, setOpen, box, onKeyDown } = useMenu();
  const columns = state.columns.value!;
  const { services } = columns.header;
  const chosen = state.filter.value.services;
  const spans = new Uint32Array(services.length);
  if (open) for (let row = 0; row < columns.count; row++) spans[columns.service[row]!]!++;
  const order = services.map((_, index) => index).sort((a, b) => spans[b]! - spans[a]!);
  const toggle = (index: number) => {
    const next = new Set(chosen ?? services.keys());
    if (!next.delete(index)) next.add(index);
    state.setFilter({ services: next.size === services.length ? null : next });
  };
  return (
    <div class="menu" ref={box} onKeyDown={onKeyDown}>
      <button type="button" class="button small" aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
        {chosen === null ? `${plural(services.length, 'service')}` : `${chosen.size} of ${plural(services.length, 'service')}`}
        <Icon name="down" />
      </button>
      {open && (
        <div class="menu-panel service-list" role="dialog" aria-label="Services shown">
          {order.map((index) => (
            <div key={index} class="service-choice">
              <label>
                <input type="checkbox" checked={chosen === null || chosen.has(index)} onChange={() => toggle(index)} />
                <ServiceDot name={services[index]!} colours={columns.colours} />
                <span class="service-name">{services[index]}</span>
                <span class="dim num">{formatCount(spans[index]!)}</span>
              </label>
              <button type="button" class="text-button" aria-label={`only ${services[index]}`}
                onClick={() => state.setFilter({ services: new Set([index]) })}>only</button>
            </div>
          ))}
          <button type="button" class="button small" onClick={() => state.setFilter({ services: null })}>All services</button>
        </div>
      )}
    </div>
  );
}

function Toggle(props: { on: boolean; label: string; title: string; onToggle: () => void }) {
  return (
    <button type="button" class="button small" aria-pressed={props.on} title={props.title} onClick={props.onToggle}>{props.label}</button>
  );
}

export function TraceToolbar({ state }: { state: TraceState }) {
  const filter = state.filter.value;
  const { fold } = state.collapse.value;
  void state.rowsVersion.value;
  const filtered = filters(filter);
  const waterfall = state.view.value === 'waterfall';
  return (
    <div class="trace-toolbar">
      <div class="tabs" role="tablist" aria-label="View">
        {kTraceViews.map((view) => (
          <button key={view} type="button" role="tab" aria-selected={state.view.value === view}
            onClick={() => { state.view.value = view; state.push(); }}>{kViewNames[view]}</button>
        ))}
      </div>
      <FindBox state={state} />
      <span class="spring" />
      {filtered && (
        <span class="dim filter-count">
          {plural(state.rows.matched, 'span')} shown{' '}
          <button type="button" class="text-button" onClick={() => state.setFilter(kNoFilter)}>show all</button>
        </span>
      )}
      <ServiceMenu state={state} />
      <Toggle on={filter.errorsOnly} label="Errors" title="Only spans with errors, and the way to them" onToggle={() => state.setFilter({ errorsOnly: !filter.errorsOnly })} />
      <span class="button-pair" role="group" aria-label="Critical path">
        <Toggle on={state.strongPath.value} label="Critical path" title="Show the critical path strongly and the rest pale (p)"
          onToggle={() => state.setStrongPath(!state.strongPath.value)} />
        <Toggle on={filter.criticalOnly} label="only" title="Only spans on the critical path, and the way to them"
          onToggle={() => state.setFilter({ criticalOnly: !filter.criticalOnly })} />
      </span>
      {waterfall && (
        <Toggle on={fold} label="Fold repeats" title="Calls that are alike (same service, same name) and follow each other stand as one line that says how many they are"
          onToggle={() => { state.setCollapse({ ...state.collapse.value, fold: !fold, unfolded: new Set() }); }} />
      )}
      {waterfall && state.range.value !== null && (
        <button type="button" class="button small" onClick={() => state.fit(-1)} title="Show the whole trace (0)">Whole trace</button>
      )}
      {waterfall && <Legend columns={state.columns.value!} />}
    </div>
  );
}
