// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readNdjson } from './ndjson';

function streamOf(bytes: Uint8Array, piece: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, (at += piece)));
    },
  });
}

async function read(text: string, piece: number): Promise<unknown[]> {
  const lines: unknown[] = [];
  await readNdjson(streamOf(new TextEncoder().encode(text), piece), (value) => void lines.push(value));
  return lines;
}

describe('readNdjson', () => {
  const text = '{"a":"caf\u00e9 \u{1f9f6}"}\n\n[1,2]\n"last"';
  it.each([1, 2, 3, 7, 1000])('reads lines cut into pieces of %d bytes', async (piece) => {
    expect(await read(text, piece)).toEqual([{ a: 'caf\u00e9 \u{1f9f6}' }, [1, 2], 'last']);
  });
  it('reads an empty stream', async () => expect(await read('', 1)).toEqual([]));
  it('fails on a broken line', async () => {
    await expect(read('{"a":1}\n{"b":', 4)).rejects.toThrow(SyntaxError);
  });
  it('stops reading where the receiver throws, and closes the stream', async () => {
    let closed = false;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('1\n')),
      cancel: () => { closed = true; },
    });
    await expect(readNdjson(stream, () => { throw new Error('enough'); })).rejects.toThrow('enough');
    expect(closed).toBe(true);
  });
});
