// SPDX-License-Identifier: Apache-2.0
//
// jaeger-ui's /monitor asks for rates, errors and durations over time. These metrics are not there; the
// searches that answer the same questions for spans are, for each service.
import { useEffect, useState } from 'preact/hooks';
import { serviceNames } from '../../api/names';
import { place } from '../../app/router';
import { ServiceColours } from '../../model/palette';
import { emptyForm, formToQuery, type QueryForm } from '../../model/query_form';
import { searchUrl } from '../../model/search_url';
import { Empty } from '../../parts/page_states';
import { ServiceDot } from '../../parts/service_dot';

const kQuestions: readonly [label: string, form: Partial<QueryForm>][] = [
  ['requests', { tags: [{ key: 'kind', op: '=', value: 'server' }] }],
  ['errors', { status: 'error' }],
  ['slower than 500 ms', { spanMin: '500ms' }],
  ['slower than 2 s', { spanMin: '2s' }],
];

export function MonitorPage() {
  const [services, setServices] = useState<readonly string[]>([]);
  const wanted = place.value.parameters.get('service') ?? '';
  useEffect(() => {
    document.title = 'Monitor · weft';
    serviceNames().then(setServices, () => setServices([]));
  }, []);
  const colours = new ServiceColours(services);
  const shown = wanted === '' ? services : [wanted];
  return (
    <main class="page plain-page">
      <h1 class="unseen">Monitor</h1>
      <Empty title="weft does not draw metrics of services">
        <p>These searches answer what the page is asked for; each lists the traces, with a plot of their durations over time.</p>
        <ul class="monitor">
          {shown.map((service) => (
            <li key={service}>
              <b><ServiceDot name={service} colours={colours} /> {service}</b>
              {kQuestions.map(([label, form]) => (
                <a key={label} href={searchUrl({ query: formToQuery({ ...emptyForm(), service, ...form }) })}>{label}</a>
              ))}
              <a href={`dependencies?${new URLSearchParams({ service })}`}>calls</a>
            </li>
          ))}
        </ul>
        {shown.length === 0 && <p><a href="search">Search</a> lists services as soon as they have sent a span.</p>}
      </Empty>
    </main>
  );
}
