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
  const startNs = spans.reduce((low, span) => (span.start < low ? span.start : low), spans[0].start);
  const endNs = spans.reduce((high, span) => (span.end > high ? span.end : high), spans[0].end);
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
      row, start: Number(span.start - startNs), duration: Number(span.end - span.start), kids: [], critical: 0, self: 0,
    });
    if (item.parent >= 0) {
      const parent = rows[item.parent];
      parent.kids.push(item);
      const early = parent.start + parent.skew - (item.start + parent.skew);
      item.skew = parent.span.service === span.service ? parent.skew : early > 0 ? early + (parent.duration - item.duration) / 2 : 0;
      if (item.skew !== 0) skewCorrected++;
    }
    depth = Math.max(depth, item.depth + 1);
    rows.push(item);
    for (let i = kids.length - 1; i >= 0; i--) stack.push({ span: kids[i], parent: row, depth: item.depth + 1, skew: 0 });
  }
  for (const item of rows) {
    let covered = 0;
    let upTo = -Infinity;
    for (const kid of [...item.kids].sort((a, b) => a.start + a.skew - b.start - b.skew)) {
      const from = Math.max(kid.start + kid.skew, item.start + item.skew, upTo);
      const to = Math.min(kid.start + kid.skew + kid.duration, item.start + item.skew + item.duration);
      if (to > from) { covered += to - from; upTo = to; }
    }
    item.self = item.duration - covered;
  }
  const criticalPath = [];
  const walk = [];
  for (const root of rows.filter((item) => item.parent < 0)) walk.push([root, root.start, root.start + root.duration]);
  while (walk.length > 0) {
    const [item, low, high] = walk.pop();
    let at = high;
    for (const kid of [...item.kids].sort((a, b) => b.start + b.duration - a.start - a.duration)) {
      const end = Math.min(kid.start + kid.duration, at);
      const start = Math.max(kid.start, low);
      if (kid.start + kid.duration > at + 1 && kid.start + kid.duration > high) continue;
      if (end <= start || end > at) continue;
      if (at > end) { criticalPath.push([item.row, end, at]); item.critical += at - end; }
      walk.push([kid, start, end]);
      at = start;
    }
    if (at > low) { criticalPath.push([item.row, low, at]); item.critical += at - low; }
  }
  const services = [...new Set(rows.map((item) => item.span.service))];
  const names = [...new Set(rows.map((item) => item.span.name))];
  const serviceIndex = new Map(services.map((name, i) => [name, i]));
  const nameIndex = new Map(names.map((name, i) => [name, i]));
  const share = services.map(() => 0);
  for (const item of rows) share[serviceIndex.get(item.span.service)] += item.critical;
  const root = rows.find((item) => item.parent < 0 && item.span.parentSpanId === '') ?? rows[0];
  const rootMissing = root.span.parentSpanId !== '';
  const errors = rows.filter((item) => item.span.status === 2).length;
  const header = {
    traceId: id, spans: rows.length, startNs: String(startNs), endNs: String(endNs), rootService: root.span.service, rootName: root.span.name,
    rootMissing, depth, errors, logs: rows.reduce((n, item) => n + item.span.logs.length, 0), duplicates: 0, skewCorrected, services, names,
    warnings: [],
    criticalPath, selfByService: share.map((ns, i) => [i, ns]).filter((pair) => pair[1] > 0).sort((a, b) => b[1] - a[1]),
  };
  return { header, rows, root, serviceIndex, nameIndex };
}

export function chunk(view, from, count) {
  const rows = view.rows.slice(from, from + count);
  return {
    from, id: rows.map((r) => r.span.spanId), parent: rows.map((r) => r.parent), start: rows.map((r) => r.start), duration: rows.map((r) => r.duration),
    service: rows.map((r) => view.serviceIndex.get(r.span.service)), name: rows.map((r) => view.nameIndex.get(r.span.name)), kind: rows.map((r) => r.span.kind),
    status: rows.map((r) => r.span.status),
    flags: rows.map((r) => (r.parent < 0 && r.span.parentSpanId !== '' ? 1 : 0) | (r.span.status === 2 && !r.kids.some((k) => k.span.status === 2) ? 2 : 0) | (r.span.links.length > 0 ? 4 : 0)),
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
