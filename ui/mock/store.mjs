// SPDX-License-Identifier: Apache-2.0
//
// What the mock remembers, and the derived columns of a trace (order, self time, critical path) in
// the plainest way that gives the shapes of docs/api.md. Next: mock/server.mjs.
import { attribute } from './shop.mjs';

function plain(value) {
  if (value === undefined) return { type: 'empty', value: null };
  if ('stringValue' in value) return { type: 'string', value: value.stringValue };
  if ('boolValue' in value) return { type: 'bool', value: value.boolValue };
  if ('intValue' in value) return { type: 'int', value: String(value.intValue) };
  if ('doubleValue' in value) return { type: 'double', value: value.doubleValue };
  if ('bytesValue' in value) return { type: 'bytes', value: value.bytesValue };
  if ('arrayValue' in value) return { type: 'array', value: (value.arrayValue.values ?? []).map((v) => plain(v).value) };
  return { type: 'map', value: Object.fromEntries((value.kvlistValue?.values ?? []).map((kv) => [kv.key, plain(kv.value).value])) };
}
const keyValues = (list) => (list ?? []).map((kv) => ({ key: kv.key, ...plain(kv.value) }));

export class Store {
  traces = new Map(); // id -> { spans, view }
  addTraces(request) {
    for (const rs of request.resourceSpans ?? []) {
      const resource = keyValues(rs.resource?.attributes);
      const service = resource.find((kv) => kv.key === 'service.name')?.value ?? 'unknown_service';
      for (const ss of rs.scopeSpans ?? []) {
        const scope = { name: ss.scope?.name ?? '', version: ss.scope?.version ?? '', attributes: keyValues(ss.scope?.attributes) };
        for (const span of ss.spans ?? []) {
          const kept = {
            traceId: span.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId ?? '', name: span.name, service, resource, scope,
            kind: span.kind ?? 0, start: BigInt(span.startTimeUnixNano), end: BigInt(span.endTimeUnixNano),
            status: span.status?.code ?? 0, statusMessage: span.status?.message ?? '', attributes: keyValues(span.attributes),
            events: (span.events ?? []).map((e) => ({ timeNs: String(e.timeUnixNano), name: e.name, attributes: keyValues(e.attributes) })),
            links: (span.links ?? []).map((l) => ({ traceId: l.traceId, spanId: l.spanId, attributes: keyValues(l.attributes) })),
            logs: [],
          };
          if (!this.traces.has(span.traceId)) this.traces.set(span.traceId, { spans: [], view: null });
          const trace = this.traces.get(span.traceId);
          trace.spans.push(kept);
          trace.view = null;
        }
      }
    }
  }
  addLogs(request) {
    for (const rl of request.resourceLogs ?? []) {
      for (const sl of rl.scopeLogs ?? []) {
        for (const log of sl.logRecords ?? []) {
          const span = this.traces.get(log.traceId)?.spans.find((s) => s.spanId === log.spanId);
          span?.logs.push({
            timeNs: String(log.timeUnixNano), severity: log.severityText ?? '', severityNumber: log.severityNumber ?? 0,
            body: plain(log.body).value, eventName: log.eventName ?? '', attributes: keyValues(log.attributes),
          });
        }
      }
    }
  }
  view(id) {
    const trace = this.traces.get(id);
    if (trace === undefined) return null;
    trace.view ??= buildView(id, trace.spans);
    return trace.view;
  }
}

const hasTime = (item) => item.span.start !== 0n;
const follows = (item) => item.span.links.some((link) => link.spanId === item.span.parentSpanId
  && link.attributes.some((kv) => kv.key === 'opentracing.ref_type' && kv.value === 'follows_from'));
const isWaitedFor = (item) => hasTime(item) && !follows(item);

function extent(items, startOf) {
  return items.reduce(([low, high], item) => [Math.min(low, startOf(item)), Math.max(high, startOf(item) + item.duration)],
    items.length > 0 ? [Infinity, -Infinity] : [0, 0]);
}

// What was moved, service by service.
function clocksOf(rows) {
  const clocks = new Map();
  for (const item of rows.filter((one) => one.skew !== 0)) {
    const clock = clocks.get(item.span.service) ?? {
      row: item.row, service: item.span.service, host: '', spans: 0, shiftNs: item.skew, wantedNs: item.skew, early: 0, late: 0, inconsistent: false, beyondLimit: false,
    };
    clock.spans++;
    clock.early++;
    clocks.set(item.span.service, clock);
  }
  return [...clocks.values()].map((clock) => ({
    ...clock, text: `${clock.service}: ${clock.spans} spans moved by ${(clock.shiftNs / 1e6).toFixed(1)} ms: ${clock.early} calls start before their caller`,
  }));
}

// Own time and critical path on the times that `startOf` says.
function pathOf(rows, startOf) {
  const self = rows.map(() => 0);
  const critical = rows.map(() => 0);
  const pieces = [];
  for (const item of rows) {
    let covered = 0;
    let upTo = -Infinity;
    for (const kid of item.kids.filter(isWaitedFor).sort((x, y) => startOf(x) - startOf(y))) {
      const from = Math.max(startOf(kid), startOf(item), upTo);
      const to = Math.min(startOf(kid) + kid.duration, startOf(item) + item.duration);
      if (to > from) { covered += to - from; upTo = to; }
    }
    self[item.row] = item.duration - covered;
  }
  const walk = rows.filter((item) => item.parent < 0).map((root) => [root, startOf(root), startOf(root) + root.duration]);
  const piece = (item, from, to) => {
    const shift = startOf(item) - item.start; // pieces are given in the span's own times
    pieces.push([item.row, from - shift, to - shift]);
    critical[item.row] += to - from;
  };
  while (walk.length > 0) {
    const [item, low, high] = walk.pop();
    let at = high;
    for (const kid of item.kids.filter(isWaitedFor).sort((x, y) => startOf(y) + y.duration - startOf(x) - x.duration)) {
      const kidEnd = startOf(kid) + kid.duration;
      const end = Math.min(kidEnd, at);
      const start = Math.max(startOf(kid), low);
      if (kidEnd > at + 1 && kidEnd > high) continue;
      if (end <= start || end > at) continue;
      if (at > end) piece(item, end, at);
      walk.push([kid, start, end]);
      at = start;
    }
    if (at > low) piece(item, low, at);
  }
  return { self, critical, pieces };
}

function buildView(id, spans) {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const children = new Map();
  const roots = [];
  for (const span of spans) {
    if (byId.has(span.parentSpanId) && span.parentSpanId !== span.spanId) {
      if (!children.has(span.parentSpanId)) children.set(span.parentSpanId, []);
      children.get(span.parentSpanId).push(span);
    } else {
      roots.push(span);
    }
  }
  const byStart = (a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.spanId < b.spanId ? -1 : 1);
  const timed = spans.filter((span) => span.start !== 0n);
  const startNs = timed.reduce((low, span) => (span.start < low ? span.start : low), timed[0]?.start ?? 0n);
  const endNs = timed.reduce((high, span) => (span.end > high ? span.end : high), timed[0]?.end ?? 0n);
  const rows = [];
  const stack = roots.sort(byStart).reverse().map((span) => ({ span, parent: -1, depth: 0, skew: 0 }));
  let depth = 0;
  let skewCorrected = 0;
  while (stack.length > 0) {
    const item = stack.pop();
    const row = rows.length;
    const span = item.span;
    const kids = (children.get(span.spanId) ?? []).sort(byStart);
    Object.assign(item, {
      row, start: span.start === 0n ? 0 : Number(span.start - startNs), duration: span.start === 0n || span.end < span.start ? 0 : Number(span.end - span.start), kids: [],
    });
    if (item.parent >= 0) {
      const parent = rows[item.parent];
      parent.kids.push(item);
      const early = parent.start + parent.skew - (item.start + parent.skew);
      item.skew = !isWaitedFor(item) ? 0 : parent.span.service === span.service ? parent.skew : early > 0 ? early + (parent.duration - item.duration) / 2 : 0;
      if (item.skew !== 0) skewCorrected++;
    }
    depth = Math.max(depth, item.depth + 1);
    rows.push(item);
    for (let i = kids.length - 1; i >= 0; i--) stack.push({ span: kids[i], parent: row, depth: item.depth + 1, skew: 0 });
  }
  const corrected = pathOf(rows, (item) => item.start + item.skew);
  const received = skewCorrected > 0 ? pathOf(rows, (item) => item.start) : null;
  for (const item of rows) {
    Object.assign(item, { self: corrected.self[item.row], critical: corrected.critical[item.row] });
    if (received !== null) Object.assign(item, { selfReceived: received.self[item.row], criticalReceived: received.critical[item.row] });
  }
  const services = [...new Set(rows.map((item) => item.span.service))];
  const names = [...new Set(rows.map((item) => item.span.name))];
  const serviceIndex = new Map(services.map((name, i) => [name, i]));
  const nameIndex = new Map(names.map((name, i) => [name, i]));
  const byService = (path) => {
    const share = services.map(() => 0);
    for (const item of rows) share[serviceIndex.get(item.span.service)] += path.critical[item.row];
    return share.map((ns, i) => [i, ns]).filter((pair) => pair[1] > 0).sort((x, y) => y[1] - x[1]);
  };
  const root = rows.find((item) => item.parent < 0 && item.span.parentSpanId === '') ?? rows[0];
  const rootMissing = root.span.parentSpanId !== '';
  const errors = rows.filter((item) => item.span.status === 2).length;
  const header = {
    traceId: id, spans: rows.length, startNs: String(startNs), endNs: String(endNs), rootService: root.span.service, rootName: root.span.name,
    rootMissing, depth, errors, logs: rows.reduce((n, item) => n + item.span.logs.length, 0), duplicates: 0, skewCorrected, services, names,
    warnings: [], criticalPath: corrected.pieces, selfByService: byService(corrected),
    shown: extent(rows.filter(hasTime), (item) => item.start + item.skew), clocks: clocksOf(rows),
    asReceived: received === null ? null : { criticalPath: received.pieces, selfByService: byService(received) },
  };
  return { header, rows, root, serviceIndex, nameIndex };
}

export function chunk(view, from, count) {
  const rows = view.rows.slice(from, from + count);
  return {
    from, id: rows.map((r) => r.span.spanId), parent: rows.map((r) => r.parent), start: rows.map((r) => r.start), duration: rows.map((r) => r.duration),
    service: rows.map((r) => view.serviceIndex.get(r.span.service)), name: rows.map((r) => view.nameIndex.get(r.span.name)), kind: rows.map((r) => r.span.kind),
    status: rows.map((r) => r.span.status),
    flags: rows.map((r) => (r.parent < 0 && r.span.parentSpanId !== '' ? 1 : 0) | (r.span.status === 2 && !r.kids.some((k) => k.span.status === 2) ? 2 : 0) | (r.span.links.length > 0 ? 4 : 0)
      | (follows(r) ? 8 : 0) | (hasTime(r) ? 0 : 32)),
    ...(view.header.skewCorrected > 0 ? { selfReceived: rows.map((r) => r.selfReceived), criticalReceived: rows.map((r) => r.criticalReceived) } : {}),
    self: rows.map((r) => r.self), critical: rows.map((r) => r.critical), skew: rows.map((r) => r.skew), logs: rows.map((r) => r.span.logs.length), events: rows.map((r) => r.span.events.length),
  };
}

const kKinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
export function details(item) {
  const s = item.span;
  return {
    row: item.row, spanId: s.spanId, parentSpanId: s.parentSpanId, name: s.name, service: s.service, kind: kKinds[s.kind], status: ['unset', 'ok', 'error'][s.status],
    statusMessage: s.statusMessage, startNs: String(s.start), endNs: String(s.end), traceState: '', flags: 1, attributes: s.attributes, resource: s.resource, scope: s.scope,
    events: s.events, links: s.links, logs: s.logs, droppedAttributes: 0, droppedEvents: 0, droppedLinks: 0,
  };
}
export { kKinds, attribute };
