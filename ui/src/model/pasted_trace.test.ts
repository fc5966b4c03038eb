// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readPastedTrace } from './pasted_trace';

const kId = '4bf92f3577b34da6a3ce929d0e0e4736';
const kSpan = '00f067aa0ba902b7';
const kShort = '0000000000000000a3ce929d0e0e4736';

describe('readPastedTrace', () => {
  it.each([
    // alone
    [kId, kId, ''], [`  ${kId}\n`, kId, ''], [kId.toUpperCase(), kId, ''], [`"${kId}"`, kId, ''], [`${kId},`, kId, ''],
    [`0x${kId}`, kId, ''], ['a3ce929d0e0e4736', kShort, ''], ['A3CE929D0E0E4736', kShort, ''], [kShort, kShort, ''],
    [`00000000${kId}`, kId, ''], ['beef', '0000000000000000000000000000beef', ''], ['000beef', '0000000000000000000000000000beef', ''],
    ['4bf92f35-77b3-4da6-a3ce-929d0e0e4736', kId, ''], ['{4BF92F35-77B3-4DA6-A3CE-929D0E0E4736}', kId, ''],
    ['4bf92f35 77b34da6 a3ce929d 0e0e4736', kId, ''], ['a3ce929d-0e0e4736', kShort, ''],
    ['S/kvNXezTaajzpKdDg5HNg==', kId, ''], ['S_kvNXezTaajzpKdDg5HNg', kId, ''],
    // headers
    [`00-${kId}-${kSpan}-01`, kId, kSpan], [`traceparent: 00-${kId}-${kSpan}-01`, kId, kSpan], [`traceparent=00-${kId}-${kSpan}-00`, kId, kSpan],
    [`TRACEPARENT: 00-${kId.toUpperCase()}-${kSpan.toUpperCase()}-01`, kId, kSpan], [`"traceparent": "00-${kId}-${kSpan}-01",`, kId, kSpan],
    [`cc-${kId}-${kSpan}-01-what-comes-later`, kId, kSpan],
    [`${kId}-${kSpan}-1`, kId, kSpan], [`b3: ${kId}-${kSpan}-1-05e3ac9a4f6e3b90`, kId, kSpan], [`a3ce929d0e0e4736-${kSpan}`, kShort, kSpan],
    [`X-B3-TraceId: ${kId}`, kId, ''], [`uber-trace-id: ${kId}:${kSpan}:0:1`, kId, kSpan], ['4bf92f35:1:0:1', '0000000000000000000000004bf92f35', '0000000000000001'],
    [`${kId}%3A${kSpan}%3A0%3A1`, kId, kSpan],
    ['X-Amzn-Trace-Id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1', kId, kSpan], ['1-4bf92f35-77b34da6a3ce929d0e0e4736', kId, ''],
    [`X-Cloud-Trace-Context: ${kId}/67667974448284343;o=1`, kId, kSpan],
    // addresses
    [`http://localhost:16686/trace/${kId}`, kId, ''], [`https://weft.example.com/tracing/trace/${kId}?span=${kSpan}&view=table`, kId, kSpan],
    [`http://jaeger/trace/a3ce929d0e0e4736?uiFind=checkout`, kShort, ''], [`/trace/${kId}`, kId, ''], [`localhost:16686/api/traces/${kId}`, kId, ''],
    [`http://zipkin:9411/zipkin/traces/${kId}`, kId, ''], [`http://localhost:16686/api/weft/v1/trace/${kId}/otlp?logs=true`, kId, ''],
    [`https://grafana/explore?left=%7B%22queries%22:%5B%7B%22query%22:%22${kId}%22%7D%5D%7D`, kId, ''], [`https://grafana/a/app?traceId=${kId}&spanId=${kSpan}`, kId, kSpan],
    // log lines and JSON
    [`2026-01-01 ERROR payment refused trace_id=${kId} span_id=${kSpan} trace_flags=01`, kId, kSpan], [`{"traceId":"${kId}","spanId":"${kSpan}"}`, kId, kSpan],
    ['trace-id: 4bf92f35-77b3-4da6-a3ce-929d0e0e4736', kId, ''], [`traceID=${kId}`, kId, ''], [`[trace: ${kId}]`, kId, ''], [`see ${kId} please`, kId, ''],
    [`curl -H 'traceparent: 00-${kId}-${kSpan}-01' http://shop/cart`, kId, kSpan], [`tp 00-${kId}-${kSpan}-01 sent`, kId, kSpan],
    ['trace_id=beef', '0000000000000000000000000000beef', ''],
  ])('%s', (text, traceId, spanId) => expect(readPastedTrace(text)).toEqual({ traceId, spanId }));

  it.each([
    '', '   ', 'checkout', 'POST /checkout', '{ status = error }', '0', '00000000000000000000000000000000', `1${kId}`, 'xyz', 'http://localhost:16686/search?service=a',
    '00-00000000000000000000000000000000-0000000000000000-01', 'g'.repeat(32), '%', 'trace_id=',
  ])('"%s" names none', (text) => expect(readPastedTrace(text)).toBeNull());

  // The table that `weft trace` and the APIs read as well: TEXT => TRACE-ID [SPAN-ID], or none.
  const kTables = import.meta.glob<string>('../../../test/ids/*.test', { query: '?raw', import: 'default', eager: true });
  const lines = Object.values(kTables).flatMap((table) => table.split('\n')).filter((line) => !line.startsWith('#') && line.includes(' => '));
  it.skipIf(lines.length === 0)('agrees with the table that all surfaces share', () => {
    for (const line of lines) {
      const at = line.lastIndexOf(' => ');
      const [traceId, spanId] = line.slice(at + 4).trim().split(/\s+/);
      const read = readPastedTrace(line.slice(0, at));
      expect(read?.traceId ?? 'none', line).toBe(traceId);
      if (spanId !== undefined) expect(read?.spanId, line).toBe(spanId);
    }
  });

  it('takes short words for ids only where asked', () => {
    expect(readPastedTrace('add', 16)).toBeNull();
    expect(readPastedTrace('deadbeef', 16)).toBeNull();
    expect(readPastedTrace('a3ce929d0e0e4736', 16)?.traceId).toBe(kShort);
    expect(readPastedTrace('trace_id=beef', 16)?.traceId).toBe('0000000000000000000000000000beef');
  });
});
