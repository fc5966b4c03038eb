// SPDX-License-Identifier: Apache-2.0
//
// An empty answer says what to do next: how to send a first span where there is no data at all, a
// jump to where data is, or what to loosen.
import { useEffect, useState } from 'preact/hooks';
import { fetchStatus } from '../../api/client';
import type { DataRange } from '../../api/types';
import { searchUrl, type SearchState } from '../../model/search_url';
import { describeRange, rangeAround, rangeBounds } from '../../model/time_range';
import { CopyButton } from '../../parts/copy_button';
import { Empty } from '../../parts/page_states';

interface Recipe {
  name: string;
  lines: (endpoint: string) => string;
}

const kRecipes: readonly Recipe[] = [
  {
    name: 'Any SDK',
    lines: (endpoint) => `export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_SERVICE_NAME=my-service`,
  },
  {
    name: 'Python',
    lines: (endpoint) => `pip install opentelemetry-distro opentelemetry-exporter-otlp\nopentelemetry-bootstrap -a install\nOTEL_EXPORTER_OTLP_ENDPOINT=${endpoint} \\\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf \\\nOTEL_SERVICE_NAME=my-service opentelemetry-instrument python app.py`,
  },
  {
    name: 'Node.js',
    lines: (endpoint) => `npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node\nOTEL_EXPORTER_OTLP_ENDPOINT=${endpoint} \\\nOTEL_SERVICE_NAME=my-service \\\nnode --require @opentelemetry/auto-instrumentations-node/register app.js`,
  },
  {
    name: 'Java',
    lines: (endpoint) => `OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint} \\\nOTEL_SERVICE_NAME=my-service \\\njava -javaagent:opentelemetry-javaagent.jar -jar app.jar`,
  },
  {
    name: 'Go',
    lines: (endpoint) => `export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}\nexport OTEL_SERVICE_NAME=my-service\n# in the program: otlptracehttp.New(ctx) reads these`,
  },
  {
    name: '.NET',
    lines: (endpoint) => `export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_SERVICE_NAME=my-service\n# in the program: AddOpenTelemetry().WithTracing(t => t.AddOtlpExporter())`,
  },
  { name: 'Demo', lines: () => 'weft demo' },
];

// Where OTLP over HTTP is taken, as a program on this machine reaches it.
async function otlpEndpoint(): Promise<string> {
  const status = await fetchStatus();
  const address = status.listeners.find((listener) => listener.name === 'otlp/http')?.address;
  const port = /:(\d+)$/.exec(address ?? '')?.[1] ?? '4318';
  return `http://${window.location.hostname}:${port}`;
}

function FirstSpan({ onLook }: { onLook: () => void }) {
  const [endpoint, setEndpoint] = useState(`http://${window.location.hostname}:4318`);
  const [name, setName] = useState(kRecipes[0]!.name);
  useEffect(() => {
    otlpEndpoint().then(setEndpoint, () => undefined);
    const timer = window.setInterval(onLook, 2000);
    return () => window.clearInterval(timer);
  }, []);
  const lines = kRecipes.find((recipe) => recipe.name === name)!.lines(endpoint);
  return (
    <Empty title="No data yet">
      <p>weft is running and waits for the first span. Point any OpenTelemetry SDK or Collector here:</p>
      <div class="row" role="group" aria-label="Language">
        {kRecipes.map((recipe) => (
          <button key={recipe.name} type="button" class="button small" aria-pressed={recipe.name === name}
            onClick={() => setName(recipe.name)}>{recipe.name}</button>
        ))}
      </div>
      <div class="recipe">
        <pre tabIndex={0}>{lines}</pre>
        <CopyButton text={lines} label="Copy these lines" />
      </div>
      <p>OTLP over HTTP is at <code>{endpoint}</code>; gRPC at port 4317. This page looks again by itself.</p>
    </Empty>
  );
}

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
