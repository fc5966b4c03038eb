// SPDX-License-Identifier: Apache-2.0
//
// The shapes of docs/api.md, as the server sends them. Times are decimal strings of nanoseconds,
// durations are numbers of nanoseconds. Next: api/client.ts.

export interface DataRange {
  startNs: string;
  endNs: string;
}

export interface Status {
  version: string;
  startedNs: string;
  durability: string;
  dataDir: string;
  readOnly: boolean;
  readOnlyReason: string;
  retention: { ageNs: number; bytes: number };
  spans: number;
  blocks: number;
  bytes: number;
  headSpans: number;
  dataRange: DataRange | null;
  listeners: { name: string; address: string }[];
}

export interface Operation {
  name: string;
  kind: string;
}

export interface Tag {
  scope: string;
  key: string;
}

export interface ServiceShare {
  name: string;
  spans: number;
  errors: number;
}

export interface Match {
  spanId: string;
  service: string;
  name: string;
  startNs: string;
  durationNs: number;
  error: boolean;
  attributes: Record<string, string>;
}

export interface TraceSummary {
  traceId: string;
  rootService: string;
  rootName: string;
  rootMissing: boolean;
  startNs: string;
  durationNs: number;
  spans: number;
  errors: number;
  services: ServiceShare[];
  matched: number;
  matches: Match[];
}

export interface SearchStats {
  spansTotal: number;
  spansInspected: number;
  segments: number;
  segmentsSkipped: number;
  elapsedNs: number;
}

export interface SearchAnswer {
  traces: TraceSummary[];
  cursor: string;
  partial: string;
  stats: SearchStats;
  dataRange: DataRange | null;
}

export interface TraceHeader {
  traceId: string;
  spans: number;
  startNs: string;
  endNs: string;
  rootService: string;
  rootName: string;
  rootMissing: boolean;
  depth: number;
  errors: number;
  logs: number;
  duplicates: number;
  skewCorrected: number;
  services: string[];
  names: string[];
  warnings: string[];
  criticalPath: [number, number, number][];
  selfByService: [number, number][];
}

// Up to 8192 spans in depth-first pre-order, one array a column.
export interface TraceChunk {
  from: number;
  id: string[];
  parent: number[];
  start: number[];
  duration: number[];
  service: number[];
  name: number[];
  kind: number[];
  status: number[];
  flags: number[];
  self: number[];
  critical: number[];
  skew: number[];
  logs: number[];
  events: number[];
}

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

export interface KeyValue {
  key: string;
  type: 'string' | 'bool' | 'int' | 'double' | 'array' | 'map' | 'bytes' | 'empty';
  value: JsonValue;
}

export interface LogRecord {
  timeNs: string;
  severity: string;
  severityNumber: number;
  body: JsonValue;
  eventName: string;
  attributes: KeyValue[];
}

export interface SpanDetails {
  row: number;
  spanId: string;
  parentSpanId: string;
  name: string;
  service: string;
  kind: string;
  status: string;
  statusMessage: string;
  startNs: string;
  endNs: string;
  traceState: string;
  flags: number;
  attributes: KeyValue[];
  resource: KeyValue[];
  scope: { name: string; version: string; attributes: KeyValue[] };
  events: { timeNs: string; name: string; attributes: KeyValue[] }[];
  links: { traceId: string; spanId: string; attributes: KeyValue[] }[];
  logs: LogRecord[];
  droppedAttributes: number;
  droppedEvents: number;
  droppedLinks: number;
}

export interface FindAnswer {
  rows: number[];
  counts: { name: number; attribute: number; event: number; log: number };
}
