// SPDX-License-Identifier: Apache-2.0
//
// Which service calls which, as a table: /dependencies and /deep-dependencies, as jaeger-ui names
// them. ?service= keeps the calls from and to one service. Next: model/dependencies.ts.
import { useEffect, useState } from 'preact/hooks';
import { fetchDependencies, isAbort } from '../../api/client';
import type { Dependency } from '../../api/types';
import { go, place } from '../../app/router';
import { sortDependencies, tracesOfBoth, type DependencyColumn } from '../../model/dependencies';
import { ServiceColours } from '../../model/palette';
import { emptyForm, formToQuery } from '../../model/query_form';
import { searchUrl } from '../../model/search_url';
import { readSort, type Sort } from '../../model/span_table';
import { rangeBounds, rangeParameters, readRange, type TimeRange } from '../../model/time_range';
import { formatCount, plural } from '../../model/units';
import { Empty, Failed, ProgressLine } from '../../parts/page_states';
import { RangePicker } from '../../parts/range_picker';
import { ServiceDot } from '../../parts/service_dot';
import { SortHeading, type Heading } from '../../parts/sort_heading';

const kDay: TimeRange = { kind: 'last', text: '24h' };

const kHeadings: readonly Heading[] = [
  { column: 'parent', label: 'Calling service', number: false }, { column: 'child', label: 'Called service', number: false },
  { column: 'callCount', label: 'Calls', number: true }, { column: '', label: 'Traces', number: false },
];

function useDependencies(range: TimeRange, turn: number) {
  const [calls, setCalls] = useState<Dependency[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const key = rangeParameters(range, kDay).toString();
  useEffect(() => {
    const abort = new AbortController();
    const now = Date.now();
    const bounds = rangeBounds(range, now);
    const ms = (ns: string | undefined, otherwise: number) => (ns === undefined ? otherwise : Math.floor(Number(ns) / 1e6));
    setError(null);
    // "now" is a little later for those whose clock is ahead.
    fetchDependencies(ms(bounds.start, 0), ms(bounds.end, now + 60_000), abort.signal).then(
      setCalls, (failure: Error) => !isAbort(failure) && setError(failure));
    return () => abort.abort();
  }, [key, turn]);
  return { calls, error };
}

function Calls({ calls, colours, sort, onSort, range }: {
  calls: readonly Dependency[]; colours: ServiceColours; sort: Sort; onSort: (sort: string) => void; range: TimeRange;
}) {
  const service = (name: string) => (
    <a href={searchUrl({ query: formToQuery({ ...emptyForm(), service: name }), range })}><ServiceDot name={name} colours={colours} /> {name}</a>
  );
  return (
    <table class="calls">
      <thead>
        <tr>
          {kHeadings.map((heading) => <SortHeading key={heading.label} heading={heading} sort={sort} onSort={onSort} />)}
        </tr>
      </thead>
      <tbody>
        {calls.map((call) => (
          <tr key={`${call.parent}\n${call.child}`}>
            <td>{service(call.parent)}</td>
            <td>{service(call.child)}</td>
            <td class="num">{formatCount(call.callCount)}</td>
            <td><a href={searchUrl({ query: tracesOfBoth(call), range })}>traces with both</a></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function DependenciesPage() {
  const { path, parameters } = place.value;
  const range = readRange(parameters, kDay);
  const service = parameters.get('service') ?? '';
  const sortText = parameters.get('sort') ?? '';
  const [turn, setTurn] = useState(0);
  const { calls, error } = useDependencies(range, turn);
  useEffect(() => { document.title = 'Dependencies · weft'; }, []);
  const open = (change: { range?: TimeRange; service?: string; sort?: string }) => {
    const next = rangeParameters(change.range ?? range, kDay);
    if ((change.service ?? service) !== '') next.set('service', change.service ?? service);
    if ((change.sort ?? sortText) !== '') next.set('sort', change.sort ?? sortText);
    go(`dependencies${next.size > 0 ? `?${next}` : ''}`, change.sort !== undefined);
  };
  const sort = readSort(sortText, '-callCount');
  const shown = sortDependencies(calls ?? [], sort.column as DependencyColumn, sort.down, service);
  const colours = new ServiceColours((calls ?? []).flatMap((call) => [call.parent, call.child]));
  return (
    <main class="page plain-page">
      <ProgressLine active={calls === null && error === null} />
      <div class="plain-head">
        <h1>Which service calls which</h1>
        <RangePicker range={range} onRange={(next) => open({ range: next })} />
        {service !== '' && (
          <span>calls of <b>{service}</b>{' '}
            <button type="button" class="text-button" onClick={() => open({ service: '' })}>show all</button></span>
        )}
        {calls !== null && shown.length > 0 && <span class="dim">{plural(shown.length, 'pair')} of services</span>}
      </div>
      {path.startsWith('/deep') && (
        <p class="plain-note">weft has no graph of operations. These are the calls between services{service === '' ? '' : ` from and to ${service}`}.</p>
      )}
      {error !== null && <Failed title="The dependencies could not be read" error={error} retry={() => setTurn(turn + 1)} />}
      {error === null && calls !== null && shown.length === 0 && (
        <Empty title="No calls between services in this time">
          <p>A call is a span whose parent belongs to another service. {service !== '' ? 'Other services may have some: ' : 'An earlier time may have some: '}
            <a href={service !== '' ? 'dependencies' : 'dependencies?range=all'}>{service !== '' ? 'show all services' : 'look at all time'}</a>.</p>
        </Empty>
      )}
      {error === null && shown.length > 0 && (
        <Calls calls={shown} colours={colours} sort={sort} range={range} onSort={(next) => open({ sort: next })} />
      )}
    </main>
  );
}
