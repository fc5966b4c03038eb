// SPDX-License-Identifier: Apache-2.0
//
// An empty answer says what to do next: how to send a first span where there is no data at all, a
// jump to where data is, or what to loosen.
import type { DataRange } from '../../api/types';
import { searchUrl, type SearchState } from '../../model/search_url';
import { describeRange, rangeAround, rangeBounds } from '../../model/time_range';
import { Empty } from '../../parts/page_states';
import { FirstSpan } from './first_span';

interface Props {
  state: SearchState;
  dataRange: DataRange | null;
  onLook: () => void;
}

export function NothingFound({ state, dataRange, onLook }: Props) {
  if (dataRange === null) return <FirstSpan onLook={onLook} />;
  const range = rangeAround(dataRange.startNs, dataRange.endNs);
  const bounds = rangeBounds(state.range, Date.now());
  const outside =
    (bounds.start !== undefined && BigInt(bounds.start) > BigInt(dataRange.endNs)) ||
    (bounds.end !== undefined && BigInt(bounds.end) < BigInt(dataRange.startNs));
  const jump = searchUrl({ ...state, range, cursor: '', open: [] });
  const where = describeRange({ kind: 'fixed', startNs: BigInt(dataRange.startNs), endNs: BigInt(dataRange.endNs) });
  if (outside) {
    return (
      <Empty title={`No spans in this time (${describeRange(state.range)})`}>
        <p>Data is from <b class="data-range">{where}</b>.</p>
        <div class="row"><a class="button primary" href={jump}>Search where data is</a></div>
      </Empty>
    );
  }
  const isAnything = state.query.trim() === '{}' || state.query.trim() === '';
  return (
    <Empty title={isAnything ? 'No traces in this time' : 'No trace matches'}>
      <p>
        {isAnything ? 'There is data, but none in ' : 'No span matches the query in '}
        {describeRange(state.range)}. Data is from <b class="data-range">{where}</b>.
      </p>
      <div class="row">
        {state.range.kind !== 'all' && <a class="button primary" href={jump}>Search where data is</a>}
        {!isAnything && <a class="button" href={searchUrl({ ...state, query: '{}', cursor: '', open: [] })}>Drop the query</a>}
      </div>
    </Empty>
  );
}
