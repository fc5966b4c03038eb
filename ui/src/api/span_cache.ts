// SPDX-License-Identifier: Apache-2.0
//
// Details of spans, asked by aligned windows of rows, so that stepping from row to row mostly finds
// them here. Next: pages/trace/span_panel.tsx.
import { fetchSpans } from './client';
import type { SpanDetails } from './types';

const kWindow = 16;
const kWindowsKept = 64;

export class SpanCache {
  private readonly windows = new Map<number, Promise<SpanDetails[]>>();

  constructor(private readonly traceId: string) {}

  async get(row: number): Promise<SpanDetails> {
    const from = row - (row % kWindow);
    let answer = this.windows.get(from);
    if (answer === undefined) {
      answer = fetchSpans(this.traceId, from, kWindow);
      this.windows.set(from, answer);
      answer.catch(() => this.windows.delete(from));
      if (this.windows.size > kWindowsKept) this.windows.delete(this.windows.keys().next().value!);
    }
    const span = (await answer).find((candidate) => candidate.row === row);
    if (span === undefined) throw new Error('The server has no such row any more: reload the page.');
    return span;
  }

  clear(): void {
    this.windows.clear();
  }
}
