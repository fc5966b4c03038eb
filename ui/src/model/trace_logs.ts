// SPDX-License-Identifier: Apache-2.0
//
// The log records of a trace out of its OTLP JSON, as lines in the order of time.
// Next: pages/trace/logs_view.tsx.
import type { JsonValue } from '../api/types';

export interface LogLine {
  timeNs: string;
  severity: string;
  isError: boolean;
  service: string;
  text: string;
  spanId: string; // "" where it belongs to the trace alone
}

interface AnyValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string | number;
  doubleValue?: number | string;
  bytesValue?: string;
  arrayValue?: { values?: AnyValue[] };
  kvlistValue?: { values?: { key: string; value?: AnyValue }[] };
}

export interface LogsData {
  resourceLogs?: {
    resource?: { attributes?: { key: string; value?: AnyValue }[] };
    scopeLogs?: {
      logRecords?: {
        timeUnixNano?: string; observedTimeUnixNano?: string; severityText?: string; severityNumber?: number | string;
        body?: AnyValue; eventName?: string; spanId?: string;
      }[];
    }[];
  }[];
}

const kErrorFrom = 17;
const kSeverities = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

function plainValue(value: AnyValue | undefined): JsonValue {
  if (value === undefined) return null;
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainValue);
  if (value.kvlistValue !== undefined) {
    return Object.fromEntries((value.kvlistValue.values ?? []).map((entry) => [entry.key, plainValue(entry.value)]));
  }
  return value.stringValue ?? value.boolValue ?? value.intValue ?? value.doubleValue ?? value.bytesValue ?? null;
}

function textOf(value: AnyValue | undefined): string {
  const plain = plainValue(value);
  return plain === null ? '' : typeof plain === 'object' ? JSON.stringify(plain) : String(plain);
}

export function logLines(data: LogsData): LogLine[] {
  const lines: LogLine[] = [];
  for (const { resource, scopeLogs } of data.resourceLogs ?? []) {
    const name = textOf(resource?.attributes?.find((attribute) => attribute.key === 'service.name')?.value);
    for (const record of (scopeLogs ?? []).flatMap((scope) => scope.logRecords ?? [])) {
      const number = Number(record.severityNumber ?? 0);
      const at = record.timeUnixNano !== undefined && record.timeUnixNano !== '0' ? record.timeUnixNano : record.observedTimeUnixNano;
      lines.push({
        timeNs: String(at ?? '0'), severity: record.severityText || (number > 0 ? kSeverities[Math.floor((number - 1) / 4)] ?? '' : ''),
        isError: number >= kErrorFrom, service: name || 'unknown_service', text: textOf(record.body) || (record.eventName ?? ''),
        spanId: /^0*$/.test(record.spanId ?? '') ? '' : record.spanId!.toLowerCase(),
      });
    }
  }
  const times = new Map(lines.map((line) => [line, BigInt(line.timeNs)]));
  return lines.sort((a, b) => (times.get(a)! < times.get(b)! ? -1 : times.get(a)! > times.get(b)! ? 1 : 0));
}
