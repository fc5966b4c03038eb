// SPDX-License-Identifier: Apache-2.0
//
// Made-up traces for looking at the pages: a shop with slow checkouts, errors, retries and logs, a
// trace whose root is missing, one with a clock that is off, and one of 100,000 spans. The same seed
// gives the same traces. Answers OTLP JSON, as an SDK would send it. Next: mock/store.mjs.

export const kBigTrace = 'b1600000000000000000000000100000';
export const kRootlessTrace = 'a0000000000000000000000000000bad';
export const kSkewTrace = 'c10c0000000000000000000000000000';

export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function attribute(key, value) {
  if (typeof value === 'string') return { key, value: { stringValue: value } };
  if (typeof value === 'boolean') return { key, value: { boolValue: value } };
  if (Array.isArray(value)) {
    return { key, value: { arrayValue: { values: value.map((v) => attribute('', v).value) } } };
  }
  return Number.isInteger(value)
    ? { key, value: { intValue: String(value) } }
    : { key, value: { doubleValue: value } };
}
const attributes = (object) => Object.entries(object).map(([key, value]) => attribute(key, value));

export class TraceMaker {
  constructor(seed, traceId) {
    this.random = random(seed);
    this.traceId = traceId ?? this.hex(32);
    this.spans = [];
    this.logs = [];
  }
  hex(digits) {
    let text = '';
    while (text.length < digits) text += Math.floor(this.random() * 16).toString(16);
    return text;
  }
  between(low, high) {
    return low + this.random() * (high - low);
  }
  // Times in microseconds from `base` (ms since the epoch).
  span(service, name, kind, parent, startUs, durationUs, extra = {}) {
    const span = {
      service, name, kind, startUs, endUs: startUs + durationUs,
      spanId: this.hex(16), parentSpanId: parent?.spanId ?? '',
      attributes: extra.attributes ?? {}, error: extra.error ?? '', events: extra.events ?? [],
      links: extra.links ?? [], untimed: extra.untimed ?? false, endless: extra.endless ?? false,
    };
    this.spans.push(span);
    return span;
  }
  log(span, atUs, severity, body, extra = {}) {
    this.logs.push({ span, atUs, severity, body, attributes: extra });
  }
  // One OTLP request for traces and one for logs.
  otlp(baseMs) {
    const ns = (us) => String(BigInt(Math.round(baseMs)) * 1_000_000n + BigInt(Math.round(us * 1000)));
    const byService = new Map();
    for (const span of this.spans) {
      if (!byService.has(span.service)) byService.set(span.service, []);
      byService.get(span.service).push(span);
    }
    const resource = (service) => ({
      attributes: attributes({
        'service.name': service, 'service.version': '1.4.2', 'deployment.environment.name': 'demo',
        'host.name': `${service}-7d9f`, 'process.pid': 4000 + service.length,
        'telemetry.sdk.language': service.length % 2 ? 'go' : 'java',
      }),
    });
    const scope = { name: 'weft.mock.shop', version: '1.0' };
    const kSeverity = { INFO: 9, WARN: 13, ERROR: 17 };
    const resourceSpans = [...byService].map(([service, spans]) => ({
      resource: resource(service),
      scopeSpans: [{
        scope,
        spans: spans.map((span) => ({
          traceId: this.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId,
          name: span.name, kind: span.kind, startTimeUnixNano: span.untimed ? '0' : ns(span.startUs),
          endTimeUnixNano: span.untimed || span.endless ? '0' : ns(span.endUs), attributes: attributes(span.attributes),
          events: span.events.map((event) => ({
            timeUnixNano: ns(event.atUs), name: event.name, attributes: attributes(event.attributes ?? {}),
          })),
          links: span.links,
          status: span.error ? { code: 2, message: span.error } : {},
        })),
      }],
    }));
    const resourceLogs = this.logs.map((log) => ({
      resource: resource(log.span.service),
      scopeLogs: [{
        scope,
        logRecords: [{
          timeUnixNano: ns(log.atUs), severityNumber: kSeverity[log.severity], severityText: log.severity,
          body: { stringValue: log.body }, attributes: attributes(log.attributes),
          traceId: this.traceId, spanId: log.span.spanId,
        }],
      }],
    }));
    return { traces: { resourceSpans }, logs: { resourceLogs } };
  }
}

const kServer = 2;
const kClient = 3;
const kInternal = 1;

// A call: client span in `from`, server span in `to`.
function call(maker, from, to, parent, startUs, durationUs, route, extra = {}) {
  const client = maker.span(from, `POST ${route}`, kClient, parent, startUs, durationUs, {
    attributes: { 'http.request.method': 'POST', 'url.full': `http://${to}:8080${route}`, 'server.address': to,
      'http.response.status_code': extra.error ? 503 : 200 },
    error: extra.error,
  });
  const net = Math.min(400, durationUs * 0.08);
  return maker.span(to, `POST ${route}`, kServer, client, startUs + net, durationUs - 2 * net, {
    attributes: { 'http.request.method': 'POST', 'http.route': route, 'http.response.status_code': extra.error ? 503 : 200,
      'client.address': '10.0.3.17', 'user_agent.original': 'shop/1.4', ...(extra.attributes ?? {}) },
    error: extra.error, events: extra.events,
  });
}

export function checkout(seed, traceId) {
  const m = new TraceMaker(seed, traceId);
  const slow = m.random() < 0.15;
  const failed = m.random() < 0.08;
  const stripeUs = slow ? m.between(2.2e6, 3.9e6) : m.between(40e3, 160e3);
  const stockUs = m.between(8e3, 30e3);
  const priceUs = m.between(5e3, 25e3);
  const fraudUs = m.between(9e3, 40e3);
  const total = 6e3 + stockUs + priceUs + fraudUs + stripeUs + 9e3;
  const user = Math.floor(m.between(1, 400));
  const root = m.span('gateway', 'POST /checkout', kServer, null, 0, total + 9e3, {
    attributes: { 'http.request.method': 'POST', 'http.route': '/checkout', 'url.path': '/checkout',
      'http.response.status_code': failed ? 502 : 200, 'user.id': `u-${user}`, 'network.protocol.version': '1.1',
      'weft.note': 'a long value '.repeat(6).trim(), 'cart.items': ['mug', 'scarf', 'loom'] },
    error: failed ? 'payment was refused' : '',
  });
  const main = call(m, 'gateway', 'checkout', root, 1.2e3, total + 6e3, '/checkout', {
    attributes: { 'cart.total': 84.5, 'cart.size': 3 }, error: failed ? 'payment was refused' : '',
  });
  let at = main.startUs + 2e3;
  const stock = call(m, 'checkout', 'inventory', main, at, stockUs, '/reserve');
  const rows = slow ? 12 : 3;
  for (let i = 0; i < rows; i++) {
    m.span('inventory', 'SELECT stock', kClient, stock, stock.startUs + 600 + (i * (stockUs - 2e3)) / rows, (stockUs - 3e3) / rows / 1.1, {
      attributes: { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT n FROM stock WHERE sku = $1', 'db.response.returned_rows': 1 },
    });
  }
  at += stockUs + 700;
  const price = call(m, 'checkout', 'pricing', main, at, priceUs, '/quote');
  m.span('pricing', 'GET price', kClient, price, price.startUs + 500, priceUs * 0.3, { attributes: { 'db.system.name': 'redis', 'cache.hit': !slow } });
  m.span('pricing', 'apply rules', kInternal, price, price.startUs + priceUs * 0.4, priceUs * 0.4);
  const fraud = call(m, 'checkout', 'fraud', main, at + 300, fraudUs, '/score', { attributes: { 'fraud.score': Number(m.random().toFixed(3)) } });
  m.log(fraud, fraud.startUs + 900, 'INFO', 'scored with model v7', { model: 'v7' });
  at += Math.max(priceUs, fraudUs) + 900;
  const pay = call(m, 'checkout', 'payment', main, at, stripeUs + 5e3, '/charge', { error: failed ? 'stripe answered 503' : '' });
  const tries = failed ? 3 : 1;
  for (let i = 0; i < tries; i++) {
    const part = stripeUs / tries;
    const stripe = call(m, 'payment', 'stripe-api', pay, pay.startUs + 1e3 + i * part, part - 800, '/v1/charges', {
      error: failed ? 'rate limited' : '', attributes: { 'payment.attempt': i + 1 },
      events: failed ? [{ atUs: pay.startUs + 1e3 + (i + 0.8) * part, name: 'exception', attributes: { 'exception.type': 'RateLimited', 'exception.message': 'too many requests', 'exception.stacktrace': 'RateLimited: too many requests\n    at charge (stripe.js:118:11)\n    at process (queue.js:40:7)' } }] : [],
    });
    if (failed) m.log(stripe, stripe.startUs + part * 0.7, 'ERROR', `attempt ${i + 1} of 3: 503 from the card network`, { attempt: i + 1 });
  }
  if (slow) m.log(pay, pay.startUs + stripeUs * 0.6, 'WARN', 'stripe-api is slow: waited 2 s already', { 'wait.ms': 2000 });
  at += stripeUs + 6e3;
  const note = m.span('notification', 'send receipt', 5, main, at, m.between(15e3, 60e3), {
    attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'receipts' },
    links: [{ traceId: m.hex(32), spanId: m.hex(16), attributes: [attribute('link.kind', 'batch')] }],
  });
  m.log(note, note.startUs + 4e3, 'INFO', 'receipt queued');
  return m;
}

export function browse(seed) {
  const m = new TraceMaker(seed);
  const us = m.between(4e3, 60e3);
  const page = ['/', '/products', '/product/{id}', '/cart'][Math.floor(m.random() * 4)];
  const root = m.span('gateway', `GET ${page}`, kServer, null, 0, us, {
    attributes: { 'http.request.method': 'GET', 'http.route': page, 'http.response.status_code': 200 },
  });
  const inner = call(m, 'gateway', 'inventory', root, 800, us * 0.6, '/list');
  m.span('inventory', 'SELECT products', kClient, inner, inner.startUs + 500, us * 0.3, { attributes: { 'db.system.name': 'postgresql' } });
  return m;
}

// `late` spans: the root, sent later.
export function rootless(seed) {
  const m = checkout(seed, kRootlessTrace);
  const late = m.spans.splice(0, 1);
  return { maker: m, late };
}

export function skewed(seed) {
  const m = checkout(seed, kSkewTrace);
  for (const span of m.spans) {
    if (span.service === 'payment' || span.service === 'stripe-api') {
      span.startUs -= 30e3;
      span.endUs -= 30e3;
    }
  }
  return m;
}

// The link by which OpenTracing's FOLLOWS_FROM arrives over OTLP.
export function followsLink(traceId, parent) {
  return { traceId, spanId: parent.spanId, attributes: [attribute('opentracing.ref_type', 'follows_from')] };
}

// Calls within calls, `count` levels.
export function deep(seed, count) {
  const m = new TraceMaker(seed);
  let parent = null;
  for (let level = 0; level < count; level++) {
    parent = m.span(['gateway', 'checkout', 'payment'][level % 3], `level ${level + 1} of a recursion`, kServer, parent, level, 4 * count - 2 * level);
  }
  return m;
}

export function big(seed, count) {
  const m = new TraceMaker(seed, kBigTrace);
  const root = m.span('gateway', 'nightly import', kServer, null, 0, 60e6, { attributes: { 'job.id': 'nightly' } });
  const services = ['checkout', 'inventory', 'pricing', 'payment', 'fraud', 'notification', 'stripe-api'];
  const batches = 200;
  const each = Math.floor((count - 1) / batches);
  for (let b = 0; b < batches; b++) {
    const start = (b * 59.5e6) / batches + m.between(0, 5e4);
    const length = m.between(0.5, 1) * (59e6 / batches);
    const batch = m.span(services[b % 3], `import batch ${b % 7}`, kInternal, root, start, length, {
      attributes: { 'batch.number': b }, error: b % 41 === 7 ? 'rows were refused' : '',
    });
    let made = 1;
    let at = start + 50;
    while (made < each) {
      const item = m.span(services[(b + 1) % 7], 'upsert item', kServer, batch, at, (length / each) * 3.6, { attributes: { 'item.id': made } });
      made++;
      for (let i = 0; i < 3 && made < each; i++, made++) {
        m.span(services[(b + i) % 7], ['SELECT item', 'UPDATE item', 'publish'][i], kClient, item, item.startUs + i * 0.3 * (length / each) * 3.6, (length / each), {
          error: m.random() < 0.0008 ? 'deadlock detected' : '', attributes: { 'db.system.name': 'postgresql' },
        });
      }
      at += (length / each) * 4;
    }
  }
  while (m.spans.length < count) m.span('gateway', 'finish', kInternal, root, 59.9e6, 1e3);
  return m;
}
