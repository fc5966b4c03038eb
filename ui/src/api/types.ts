// SPDX-License-Identifier: Apache-2.0
//
// The shapes of docs/api.md, as the server sends them. Times are decimal strings of nanoseconds,
// durations are numbers of nanoseconds. Next: api/client.ts.

export interface DataRange {
  startNs: string;
  endNs: string;
}

export interface Listener {
  name: string; // component and protocol: "otlp/grpc"
  address: string; // "127.0.0.1:4317"
  tls?: boolean;
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
  listeners: Listener[];
}

export interface Dependency {
  parent: string;
  child: string;
  callCount: number;
}

export interface Operation {
  name: string;
  kind: string;
}

export interface Tag {
  scope: string;
  key: string;
  field?: string; // as TraceQL writes it; "" where it has no word for it
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

// A name in the query that no data has.
export interface NameHint {
  kind: 'service' | 'operation' | 'attribute';
  name: string; // as asked
  nearest: string; // "" where none is near
  text: string; // a whole sentence
}

export interface SearchAnswer {
  hints?: NameHint[];
  traces: TraceSummary[];
  cursor: string;
  partial: string;
  stats: SearchStats;
  dataRange: DataRange | null;
}

// A clock about which the trace has evidence: whether it was moved, and why.
export interface TraceClock {
  row: number; // first row on it
  service: string;
  host: string;
  spans: number;
  shiftNs: number;
  wantedNs: number;
  early: number; // calls that start before their caller
  late: number; // servers that end after their client
  inconsistent: boolean; // no one shift satisfies all calls
  beyondLimit: boolean; // the shift would be more than is allowed: nothing moved
  text: string; // a whole sentence
}

export interface CriticalPath {
  criticalPath: [row: number, start: number, end: number][];
  selfByService: [service: number, ns: number][];
}

export interface TraceHeader extends CriticalPath {
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
  shown?: [from: number, to: number]; // extent of the corrected times, as offsets
  clocks?: TraceClock[];
  asReceived?: CriticalPath | null; // null where nothing was moved
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
  selfReceived?: number[]; // where spans were moved
  criticalReceived?: number[];
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
