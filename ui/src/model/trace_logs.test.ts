// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { logLines } from './trace_logs';

const record = (time: string, part = {}) => ({ timeUnixNano: time, body: { stringValue: `at ${time}` }, ...part });
const data = (...records: object[]) => ({
  resourceLogs: [{ resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] }, scopeLogs: [{ logRecords: records }] }],
});

describe('logLines', () => {
  it('orders by time, to the nanosecond', () => {
    const lines = logLines(data(record('1700000000000000002'), record('1700000000000000001'), record('9')));
    expect(lines.map((line) => line.timeNs)).toEqual(['9', '1700000000000000001', '1700000000000000002']);
  });
  it('reads what a record has', () => {
    expect(logLines(data(record('5', { severityNumber: 17, spanId: 'AB00000000000001' })))[0]).toEqual(
      { timeNs: '5', severity: 'ERROR', isError: true, service: 'shop', text: 'at 5', spanId: 'ab00000000000001' });
    expect(logLines(data(record('5', { severityText: 'warning', severityNumber: 13, body: { kvlistValue: { values: [{ key: 'a', value: { intValue: '1' } }] } } })))[0])
      .toMatchObject({ severity: 'warning', isError: false, text: '{"a":"1"}', spanId: '' });
    expect(logLines(data({ observedTimeUnixNano: '7', eventName: 'exception' }))[0]).toMatchObject({ timeNs: '7', text: 'exception', severity: '' });
    expect(logLines({ resourceLogs: [{ scopeLogs: [{ logRecords: [{}] }] }] })[0]).toMatchObject({ service: 'unknown_service', timeNs: '0', text: '' });
  });
  it('reads nothing', () => expect(logLines({})).toEqual([]));
});
