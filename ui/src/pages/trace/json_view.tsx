// SPDX-License-Identifier: Apache-2.0
//
// The trace as OTLP JSON, to read, copy or keep as a file. A text of many megabytes is shown from its
// start and said to be cut; the file always has all of it.
import { useEffect, useState } from 'preact/hooks';
import { isAbort, otlpUrl, request } from '../../api/client';
import { formatBytes } from '../../model/units';
import { CopyButton } from '../../parts/copy_button';
import { Failed, useSlow } from '../../parts/page_states';

const kShownBytes = 1 << 20;

interface Shown {
  text: string;
  bytes: number; // read so far; all of them where not cut
  cut: boolean;
}

async function readStart(traceId: string, signal: AbortSignal): Promise<Shown> {
  const response = await request(otlpUrl(traceId), signal);
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    text += decoder.decode(value, { stream: true });
    if (bytes > kShownBytes) {
      await reader.cancel();
      return { text, bytes, cut: true };
    }
  }
  return { text: JSON.stringify(JSON.parse(text), null, 2), bytes, cut: false };
}

export function JsonView({ traceId }: { traceId: string }) {
  const [shown, setShown] = useState<Shown | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setError(null);
    readStart(traceId, abort.signal).then(setShown, (failure: Error) => !isAbort(failure) && setError(failure));
    return () => abort.abort();
  }, [traceId, turn]);
  const slow = useSlow(shown === null && error === null);
  if (error !== null) return <Failed title="The trace could not be read as OTLP" error={error} retry={() => setTurn(turn + 1)} />;
  if (shown === null) return <p class="json-bar dim" role="status">{slow ? 'Loading' : ''}</p>;
  return (
    <div class="json-view">
      <div class="json-bar">
        <a class="button small" href={otlpUrl(traceId)} download={`${traceId}.otlp.json`}>Download</a>
        {!shown.cut && <CopyButton text={shown.text} label="Copy the JSON" />}
        <span class="dim">{shown.cut
          ? `The first ${formatBytes(shown.bytes)} are shown; the download has everything.`
          : `${formatBytes(shown.bytes)} of OTLP JSON`}</span>
      </div>
      <pre tabIndex={0} aria-label="OTLP JSON">{shown.text}</pre>
    </div>
  );
}
