// SPDX-License-Identifier: Apache-2.0
//
// jaeger-ui's comparison (/trace/A...B, /compare): both traces to open, and that comparing is not there.
import { useEffect } from 'preact/hooks';
import { traceUrl } from '../../model/trace_url';
import { Empty } from '../../parts/page_states';

export function ComparePage({ ids }: { ids: readonly string[] }) {
  useEffect(() => { document.title = 'Compare · weft'; }, []);
  return (
    <main class="page plain-page">
      <h1 class="unseen">Compare traces</h1>
      <Empty title="weft does not compare traces">
        {ids.length === 0
          ? <p>Two traces open in two tabs beside each other. <a href="search">Search for them</a>.</p>
          : (
            <>
              <p>{ids.length === 1 ? 'This is the trace of the address:' : 'These are the traces of the address; a middle click opens one in a tab of its own:'}</p>
              <ul class="trace-links">
                {ids.map((id) => <li key={id}><a class="mono" href={traceUrl(id)}>{id}</a></li>)}
              </ul>
            </>
          )}
        <p>In each, the table by operation (<b>Table</b>, then <b>By operation</b>) gives the sums to hold against each other.</p>
        {ids.length > 1 && (
          <div class="row">
            {ids.map((id) => <a key={id} class="button" href={traceUrl(id, { view: 'table', group: 'operation' })}>Sums of …{id.slice(-8)}</a>)}
          </div>
        )}
      </Empty>
    </main>
  );
}
