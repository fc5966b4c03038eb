// SPDX-License-Identifier: Apache-2.0
//
// Lines of JSON out of a byte stream. A line may be a megabyte and arrive in many pieces: pieces are
// kept apart until the newline comes, so that nothing is copied twice. Next: api/trace_stream.ts.

const kNewline = 10;

// Calls `onLine` for every line that is not blank, in order. A last line without newline counts.
// The promise rejects with what the stream, JSON.parse or `onLine` throws.
export async function readNdjson(
  stream: ReadableStream<Uint8Array>,
  onLine: (value: unknown) => void | Promise<void>,
): Promise<void> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  const emit = async () => {
    const line = pieces.length === 1 ? pieces[0]! : pieces.join('');
    pieces = [];
    if (line.trim() !== '') await onLine(JSON.parse(line));
  };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      let from = 0;
      for (let at = value.indexOf(kNewline); at >= 0; at = value.indexOf(kNewline, from)) {
        pieces.push(decoder.decode(value.subarray(from, at), { stream: true }));
        from = at + 1;
        await emit();
      }
      if (from < value.length) {
        pieces.push(decoder.decode(value.subarray(from), { stream: true }));
      }
    }
    pieces.push(decoder.decode());
    await emit();
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
