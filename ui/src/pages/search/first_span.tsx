// SPDX-License-Identifier: Apache-2.0
//
// No data yet: how to send a first span to this server, with its own addresses. Next: model/recipes.ts.
import { useEffect, useState } from 'preact/hooks';
import { fetchStatus } from '../../api/client';
import { otlpDoors, recipesFor, type Doors } from '../../model/recipes';
import { CopyButton } from '../../parts/copy_button';
import { Empty } from '../../parts/page_states';

const kLookMs = 2000;

function Where({ doors }: { doors: Doors }) {
  const local = (doors.http ?? doors.grpc)?.local === true;
  return (
    <p>
      {doors.http !== null && <>OTLP over HTTP is at <code>{doors.http.url}</code>. </>}
      {doors.grpc !== null && <>OTLP over gRPC is at <code>{doors.grpc.url}</code>. </>}
      {local && <>Only programs on weft's own machine reach {doors.http !== null && doors.grpc !== null ? 'them' : 'it'}. </>}
      This page looks again by itself.
    </p>
  );
}

export function FirstSpan({ onLook }: { onLook: () => void }) {
  const [doors, setDoors] = useState<Doors | null>(null);
  const [name, setName] = useState('Any SDK');
  useEffect(() => {
    const ask = () => fetchStatus().then(
      (status) => setDoors(otlpDoors(status.listeners, window.location.hostname)), () => undefined);
    void ask();
    const timer = window.setInterval(() => {
      void ask();
      onLook();
    }, kLookMs);
    return () => window.clearInterval(timer);
  }, []);
  if (doors === null) return <Empty title="No data yet"><p>weft is running and waits for the first span.</p></Empty>;
  if (doors.http === null && doors.grpc === null) {
    return (
      <Empty title="No data yet">
        <p>weft is running, but no receiver takes OTLP: its configuration has none in a pipeline. <code>weft import FILE</code> brings in what a file holds.</p>
      </Empty>
    );
  }
  const recipes = recipesFor(doors);
  const { lines } = recipes.find((recipe) => recipe.name === name) ?? recipes[0]!;
  return (
    <Empty title="No data yet">
      <p>weft is running and waits for the first span. Point any OpenTelemetry SDK or Collector here:</p>
      <div class="row" role="group" aria-label="Sender">
        {recipes.map((recipe) => (
          <button key={recipe.name} type="button" class="button small" aria-pressed={recipe.name === name}
            onClick={() => setName(recipe.name)}>{recipe.name}</button>
        ))}
      </div>
      <div class="recipe">
        <pre tabIndex={0}>{lines}</pre>
        <CopyButton text={lines} label="Copy these lines" />
      </div>
      <Where doors={doors} />
    </Empty>
  );
}
