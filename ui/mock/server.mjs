// SPDX-License-Identifier: Apache-2.0
//
// A server of docs/api.md over made-up traces, to look at the pages without weft:
//   node mock/server.mjs [--port 16699] [--dist dist] [--empty] [--big 100000] [--delay MS] [--base /prefix]
// It takes OTLP JSON on /v1/traces and /v1/logs, and serves a built UI as weft does (same headers).
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { big, browse, checkout, kRootlessTrace, rootless, skewed } from './shop.mjs';
import { chunk, details, Store } from './store.mjs';
import { comparisonsOf, matches, parseSpansets, QueryError } from './query.mjs';

const kTypes = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };
export const kCsp = "default-src 'self'; base-uri 'self'; frame-ancestors 'none'; form-action 'self'; object-src 'none'";

export function fill(store, bigSpans) {
  const now = Date.now();
  const add = (maker, at) => {
    const { traces, logs } = maker.otlp(at);
    store.addTraces(traces);
    store.addLogs(logs);
  };
  for (let i = 0; i < 420; i++) add(i % 3 === 0 ? browse(i + 1) : checkout(i + 1), now - 55 * 60e3 + i * 7.7e3);
  add(skewed(7), now - 40e3);
  const { maker, late } = rootless(31);
  add(maker, now - 20e3);
  let asked = 0;
  store.onTrace = (id) => {
    if (id !== kRootlessTrace || ++asked !== 4) return;
    maker.spans = late;
    maker.logs = [];
    add(maker, now - 20e3);
  };
  if (bigSpans > 0) add(big(5, bigSpans), now - 10 * 60e3);
}

export function serve({ port = 0, dist = '', empty = false, bigSpans = 100_000, delayMs = 0, base = '' } = {}) {
  const store = new Store();
  if (!empty) fill(store, bigSpans);
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    try {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      // As weft with a base path: what lies below it, and nothing else.
      if (base !== '' && !`${url.pathname}/`.startsWith(`${base}/`) && request.method === 'GET') return json(response, 404, {});
      if (base !== '') url.pathname = url.pathname.slice(base.length) || '/';
      if (request.method === 'POST') return await take(store, url, request, response);
      if (url.pathname.startsWith('/api/weft/v1')) return api(store, url, response);
      if (url.pathname === '/api/dependencies') return json(response, 200, { data: dependencies(store, url.searchParams), errors: null });
      file(dist, url.pathname, base, response);
    } catch (error) {
      const isQuery = error instanceof QueryError;
      const code = isQuery ? 'invalid_argument' : 'internal';
      json(response, isQuery ? 400 : 500, { error: { code, message: error.message, retryAfterS: 0, line: 1, column: error.column, hint: error.hint } });
    }
  });
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve({ server, url: `http://127.0.0.1:${server.address().port}${base}` }));
  });
}

async function take(store, url, request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = JSON.parse(Buffer.concat(parts).toString());
  if (url.pathname === '/v1/traces') store.addTraces(body);
  else if (url.pathname === '/v1/logs') store.addLogs(body);
  else return json(response, 404, {});
  json(response, 200, {});
}

function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function file(dist, path, base, response) {
  const wanted = join(dist, normalize(path));
  const isFile = extname(path) !== '' && !/^\/(trace|compare)\//.test(path); // /trace/A...B is a page
  const found = dist !== '' && isFile && existsSync(wanted) ? wanted : join(dist, 'index.html');
  if (dist === '' || (isFile && found !== wanted)) return json(response, 404, {});
  response.writeHead(200, { 'content-type': kTypes[extname(found)] ?? 'application/octet-stream', 'content-security-policy': kCsp });
  const body = readFileSync(found);
  const based = base !== '' && extname(found) === '.html';
  response.end(based ? body.toString().replace('<head>', `<head><base href="${base}/">`) : body);
}

function dependencies(store, parameters) {
  const end = Number(parameters.get('endTs'));
  const start = end - Number(parameters.get('lookback'));
  const calls = new Map();
  for (const { rows } of [...store.traces.keys()].map((id) => store.view(id))) {
    for (const row of rows) {
      const ms = Number(row.span.start) / 1e6;
      const parent = rows[row.parent]?.span.service;
      const key = `${parent}\n${row.span.service}`;
      if (row.parent < 0 || parent === row.span.service || ms < start || ms > end) continue;
      const call = calls.get(key) ?? { parent, child: row.span.service, callCount: 0 };
      call.callCount++;
      calls.set(key, call);
    }
  }
  return [...calls.values()];
}

function dataRange(store) {
  let low = null;
  let high = null;
  for (const id of store.traces.keys()) {
    const { startNs, endNs } = store.view(id).header;
    if (startNs === '0') continue; // without a time
    if (low === null || BigInt(startNs) < low) low = BigInt(startNs);
    if (high === null || BigInt(endNs) > high) high = BigInt(endNs);
  }
  return low === null ? null : { startNs: String(low), endNs: String(high) };
}

const allRows = (store) => [...store.traces.keys()].flatMap((id) => store.view(id).rows);
const unique = (list) => [...new Set(list)].sort();

function api(store, url, response) {
  const path = url.pathname.slice('/api/weft/v1'.length);
  const get = (name) => url.searchParams.get(name);
  const trace = /^\/trace\/([0-9a-f]+)(\/\w+)?$/.exec(path);
  if (trace) return traceApi(store, trace[1], trace[2] ?? '', get, response);
  switch (path) {
    case '/status':
      return json(response, 200, {
        version: '0.1.0', startedNs: String(BigInt(Date.now()) * 1_000_000n), durability: 'durable', dataDir: '/var/lib/weft', readOnly: false, readOnlyReason: '',
        retention: { ageNs: 14 * 86400e9, bytes: 20 * 2 ** 30 }, spans: allRows(store).length, blocks: 3, bytes: 12345678, headSpans: 100, dataRange: dataRange(store),
        listeners: [{ name: 'otlp/grpc', address: '127.0.0.1:5317', tls: false }, { name: 'otlp/http', address: '127.0.0.1:5318', tls: false }],
      });
    case '/services':
      return json(response, 200, { services: unique(allRows(store).map((r) => r.span.service)).map((name) => ({ name, spans: 1 })) });
    case '/operations': {
      const rows = allRows(store).filter((r) => !get('service') || r.span.service === get('service'));
      return json(response, 200, { operations: unique(rows.map((r) => r.span.name)).map((name) => ({ name, kind: 'server' })) });
    }
    case '/tags': {
      const keys = new Set();
      for (const r of allRows(store)) {
        for (const kv of r.span.attributes) keys.add(`span ${kv.key}`);
        for (const kv of r.span.resource) keys.add(`resource ${kv.key}`);
      }
      const tags = [...keys].sort().map((text) => ({ scope: text.split(' ')[0], key: text.slice(text.indexOf(' ') + 1) }));
      return json(response, 200, { tags: [...tags, { scope: 'intrinsic', key: 'name' }, { scope: 'intrinsic', key: 'duration' }], truncated: false, partial: '' });
    }
    case '/tag-values': {
      const lists = allRows(store).flatMap((r) => (get('scope') === 'resource' ? r.span.resource : r.span.attributes));
      return json(response, 200, { values: unique(lists.filter((kv) => kv.key === get('key')).map((kv) => String(kv.value))).slice(0, 100).map((value) => ({ type: 'string', value })), truncated: false, partial: '' });
    }
    case '/search':
      return search(store, get, response);
    default:
      return json(response, 404, { error: { code: 'not_found', message: `no such path: ${path}`, retryAfterS: 0 } });
  }
}

// Services that no span has, with the first that begins alike.
function hintsOf(store, terms) {
  const known = unique(allRows(store).map((r) => r.span.service));
  return terms.filter((term) => term.key === 'resource.service.name' && term.op === '=' && !known.includes(term.value)).map(({ value }) => {
    const nearest = known.find((name) => name.slice(0, 3) === String(value).slice(0, 3)) ?? '';
    return { kind: 'service', name: value, nearest, text: `no data has the service "${value}"${nearest ? `: did you mean "${nearest}"?` : ''}` };
  });
}

function search(store, get, response) {
  const started = process.hrtime.bigint();
  const spansets = parseSpansets(get('q') ?? '{}');
  const terms = spansets.flatMap(comparisonsOf);
  const low = BigInt(get('start') ?? 0);
  const high = BigInt(get('end') ?? '9223372036854775807');
  const limit = Number(get('limit') ?? 20);
  const spss = Number(get('spss') ?? 3);
  const found = [];
  let inspected = 0;
  for (const id of store.traces.keys()) {
    const view = store.view(id);
    const inTime = view.rows.filter((r) => r.span.start >= low && r.span.start < high);
    const each = spansets.map((set) => inTime.filter((r) => matches(r, view, set)));
    const hits = each.every((found) => found.length > 0) ? [...new Set(each.flat())] : [];
    inspected += view.rows.length;
    if (hits.length > 0) found.push({ view, hits });
  }
  found.sort((a, b) => (BigInt(a.view.header.startNs) < BigInt(b.view.header.startNs) ? 1 : -1));
  const [cursorFrom, cursorStart] = (get('cursor') ?? `0 ${low}`).split(' ');
  if (cursorStart !== String(low)) throw new QueryError('this cursor belongs to another query or time range', 1, '');
  const from = Number(cursorFrom);
  const traces = found.slice(from, from + limit).map(({ view, hits }) => {
    const services = new Map();
    for (const r of view.rows) {
      const share = services.get(r.span.service) ?? { name: r.span.service, spans: 0, errors: 0 };
      share.spans++;
      if (r.span.status === 2) share.errors++;
      services.set(r.span.service, share);
    }
    const h = view.header;
    return {
      traceId: h.traceId, rootService: h.rootService, rootName: h.rootName, rootMissing: h.rootMissing, startNs: h.startNs, durationNs: Number(BigInt(h.endNs) - BigInt(h.startNs)),
      spans: h.spans, errors: h.errors, services: [...services.values()].sort((a, b) => b.spans - a.spans), matched: hits.length,
      matches: hits.slice(0, spss).map((r) => ({
        spanId: r.span.spanId, service: r.span.service, name: r.span.name, startNs: String(r.span.start), durationNs: r.duration, error: r.span.status === 2,
        attributes: Object.fromEntries(terms.filter((t) => t.key.includes('.') && matches(r, view, t)).map((t) => [t.key, String(t.value)])),
      })),
    };
  });
  json(response, 200, {
    hints: from > 0 ? [] : hintsOf(store, terms),
    traces, cursor: found.length > from + limit ? `${from + limit} ${low}` : '', partial: '',
    stats: { spansTotal: inspected, spansInspected: inspected, segments: 3, segmentsSkipped: 0, elapsedNs: Number(process.hrtime.bigint() - started) },
    dataRange: dataRange(store),
  });
}

function traceApi(store, id, part, get, response) {
  store.onTrace?.(id);
  const view = store.view(id);
  if (view === null) return json(response, 404, { error: { code: 'not_found', message: `no span of trace ${id} is here`, retryAfterS: 0 } });
  if (part === '') {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write(`${JSON.stringify(view.header)}\n`);
    for (let from = 0; from < view.rows.length; from += 8192) response.write(`${JSON.stringify(chunk(view, from, 8192))}\n`);
    return response.end('{"end":true}\n');
  }
  if (part === '/spans') {
    const from = Number(get('row') ?? get('from') ?? 0);
    const count = get('row') !== null ? 1 : Number(get('count') ?? 100);
    return json(response, 200, { spans: view.rows.slice(from, from + count).map(details) });
  }
  if (part === '/find') {
    const text = (get('text') ?? '').toLowerCase();
    const has = (value) => String(typeof value === 'object' ? JSON.stringify(value) : value).toLowerCase().includes(text);
    const counts = { name: 0, attribute: 0, event: 0, log: 0 };
    const rows = view.rows.filter((r) => {
      const s = r.span;
      const where = {
        name: has(s.name) || has(s.service), attribute: [...s.attributes, ...s.resource].some((kv) => has(kv.key) || has(kv.value)),
        event: s.events.some((e) => has(e.name) || e.attributes.some((kv) => has(kv.key) || has(kv.value))), log: s.logs.some((l) => has(l.body)),
      };
      for (const key of Object.keys(counts)) if (where[key]) counts[key]++;
      return Object.values(where).some(Boolean);
    });
    return json(response, 200, { rows: rows.map((r) => r.row), counts });
  }
  if (get('logs') === 'true') return json(response, 200, logsOf(view));
  return json(response, 200, { resourceSpans: [{ scopeSpans: [{ spans: view.rows.map((r) => details(r)) }] }] });
}

function logsOf(view) {
  return {
    resourceLogs: view.rows.filter((r) => r.span.logs.length > 0).map((r) => ({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: r.span.service } }] },
      scopeLogs: [{
        logRecords: r.span.logs.map((log) => ({
          timeUnixNano: log.timeNs, severityText: log.severity, severityNumber: log.severityNumber, body: { stringValue: String(log.body) }, spanId: r.span.spanId,
        })),
      }],
    })),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, fallback) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? fallback : process.argv[at + 1];
  };
  const { url } = await serve({
    port: Number(option('port', 16699)), dist: option('dist', ''), empty: process.argv.includes('--empty'),
    bigSpans: Number(option('big', 100_000)), delayMs: Number(option('delay', 0)), base: option('base', ''),
  });
  console.log(`mock weft at ${url}`);
}
