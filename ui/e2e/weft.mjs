// SPDX-License-Identifier: Apache-2.0
//
// What the browser tests run against: the server at WEFT_UI_URL, with OTLP over HTTP at
// WEFT_OTLP_URL; or, where these are not set, the mock with the newest built UI. Both get the same
// traces over OTLP, so both must show the same.
import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkout, TraceMaker } from '../mock/shop.mjs';
import { serve } from '../mock/server.mjs';
import { launch } from './browser.mjs';

function builtUi() {
  const kPlaces = ['../dist', '../../build/release/ui_dist', '../../build/dev/ui_dist', '../../build/bench/ui_dist'];
  const found = [process.env.WEFT_UI_DIST ?? '', ...kPlaces.map((path) => fileURLToPath(new URL(path, import.meta.url)))]
    .filter((path) => path !== '' && existsSync(`${path}/index.html`))
    .sort((a, b) => statSync(`${b}/index.html`).mtimeMs - statSync(`${a}/index.html`).mtimeMs);
  if (found.length === 0) throw new Error('no built UI found: npm run build, or set WEFT_UI_DIST');
  return found[0];
}

export const isMock = !process.env.WEFT_UI_URL;

// Registers start and end of server and browser for one test file.
export function useWeft({ empty = true, delayMs = 0, base = '' } = {}) {
  const weft = { url: '', otlp: '', browser: null, complaints: [] };
  // Hooks of a whole file may run at the same time: who sends waits for the server.
  let start = () => {};
  weft.started = new Promise((resolve) => (start = resolve));
  let mock = null;
  before(async () => {
    if (isMock) {
      mock = await serve({ dist: builtUi(), empty, bigSpans: 0, delayMs, base });
      weft.url = mock.url;
      weft.otlp = mock.url;
    } else {
      weft.url = process.env.WEFT_UI_URL.replace(/\/$/, '');
      weft.otlp = (process.env.WEFT_OTLP_URL ?? 'http://127.0.0.1:4318').replace(/\/$/, '');
    }
    start();
    weft.browser = await launch();
  });
  after(async () => {
    await weft.browser?.close();
    mock?.server.closeAllConnections();
    mock?.server.close();
  });
  // A page that remembers everything the browser complained about.
  weft.open = async (path, options = {}) => {
    const context = await weft.browser.newContext({ viewport: { width: 1400, height: 860 }, ...options });
    const page = await context.newPage();
    page.complaints = [];
    page.on('pageerror', (error) => page.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('the server responded with a status of 4')) page.complaints.push(message.text());
    });
    page.setDefaultTimeout(20_000);
    await page.goto(weft.url + path);
    return page;
  };
  return weft;
}

async function post(url, body) {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
}

// Sends a made-up trace and waits until the server answers it whole.
export async function send(weft, maker, baseMs = Date.now() - 60_000) {
  await weft.started;
  const { traces, logs } = maker.otlp(baseMs);
  await post(`${weft.otlp}/v1/traces`, traces);
  if (logs.resourceLogs.length > 0) await post(`${weft.otlp}/v1/logs`, logs);
  const deadline = Date.now() + 30_000;
  for (;;) {
    const response = await fetch(`${weft.url}/api/weft/v1/trace/${maker.traceId}`);
    const header = response.ok ? JSON.parse((await response.text()).split('\n')[0]) : null;
    if (header !== null && header.spans >= maker.spans.length && header.logs >= maker.logs.length) return header;
    if (Date.now() > deadline) throw new Error(`trace ${maker.traceId} does not become visible`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function freshId() {
  return randomBytes(16).toString('hex');
}

// A checkout whose services carry `suffix`, so that a search can tell it from everything else.
export function ownCheckout(suffix, seed) {
  const maker = checkout(seed, freshId());
  for (const span of maker.spans) span.service += suffix;
  return maker;
}
export { TraceMaker };

// Runs `check` until it holds: a page answers a click or a key in its next frame, not at once.
export async function eventually(check) {
  const until = performance.now() + 10_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resume) => setTimeout(resume, 20));
    }
  }
}
