// SPDX-License-Identifier: Apache-2.0
//
// One trace as it streams in: header, columns, end. Next: model/trace_columns.ts.
import { ApiError, apiUrl, request } from './client';
import { readNdjson } from './ndjson';
import type { TraceChunk, TraceHeader } from './types';

export interface TraceSink {
  header(header: TraceHeader): void;
  chunk(chunk: TraceChunk): void;
}

// Lets the browser paint between two chunks of a large trace.
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      resolve();
    };
    channel.port2.postMessage(null);
  });
}

// Resolves when the whole trace has been handed to `sink`; throws ApiError where the stream was cut
// off before its end line.
export async function streamTrace(
  traceId: string,
  sink: TraceSink,
  signal: AbortSignal,
): Promise<void> {
  const response = await request(apiUrl(`/trace/${traceId}`), signal);
  let ended = false;
  let started = false;
  await readNdjson(response.body!, async (line) => {
    if (!started) {
      started = true;
      sink.header(line as TraceHeader);
    } else if ((line as { end?: boolean }).end === true) {
      ended = true;
    } else {
      sink.chunk(line as TraceChunk);
      await nextTask();
    }
  });
  if (!ended) {
    throw new ApiError('The answer was cut off before its end.', 0, 'truncated', 1, null, '', 0);
  }
}

// The header alone: what a page that waits for late spans asks.
export async function fetchTraceHeader(traceId: string, signal: AbortSignal): Promise<TraceHeader> {
  const inner = new AbortController();
  const stop = () => inner.abort();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const response = await request(apiUrl(`/trace/${traceId}`), inner.signal);
    let header: TraceHeader | null = null;
    await readNdjson(response.body!, (line) => {
      header ??= line as TraceHeader;
      throw kEnough;
    }).catch((error) => {
      if (error !== kEnough) throw error;
    });
    if (header === null) throw new ApiError('An empty answer.', 0, 'truncated', 1, null, '', 0);
    return header;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
const kEnough = new Error('the header is enough');
