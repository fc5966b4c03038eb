// SPDX-License-Identifier: Apache-2.0
//
// node e2e/shots.mjs [NAME...]: pictures of the pages over the mock, light and dark, into e2e/shots/,
// to be looked at; SHOT_WIDTH=N for another width than 1440. Needs a built UI (npm run build).
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { kBigTrace, kRootlessTrace, kSkewTrace } from '../mock/shop.mjs';
import { serve } from '../mock/server.mjs';
import { launch } from './browser.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
mkdirSync(here('shots'), { recursive: true });
const full = await serve({ dist: here('../dist') });
const empty = await serve({ dist: here('../dist'), empty: true });

const api = `${full.url}/api/weft/v1`;
const answer = await (await fetch(`${api}/search?q=${encodeURIComponent('{ trace:duration > 2s && status = error }')}&limit=1`)).json();
const slow = answer.traces[0].traceId;

const kShots = {
  search: { url: '/search' },
  'search-form': { url: '/search?q=%7B+resource.service.name+%3D+%22checkout%22+%26%26+status+%3D+error+%7D&open=' , act: async (page) => {
    await page.locator('.fold button').first().click();
    await page.locator('#query').fill('{ resource.service.name = "checkout" && span.http');
    await page.waitForTimeout(500);
  } },
  'search-range': { url: '/search', act: async (page) => page.locator('.range-picker button').click() },
  'search-empty': { url: '/search?start=1000000000000000000&end=1000000001000000000' },
  'search-nothing': { url: '/search?q=%7B+name+%3D+%22no+such%22+%7D' },
  'search-error': { url: '/search?q=%7B+name+%3D%3D+3+%7D' },
  'no-data': { base: empty.url, url: '/search' },
  trace: { url: `/trace/${slow}` },
  'trace-span': { url: `/trace/${slow}`, act: async (page) => {
    await page.keyboard.press('e');
    await page.waitForTimeout(400);
  } },
  'trace-find': { url: `/trace/${slow}?find=stock`, act: async (page) => page.waitForTimeout(500) },
  'trace-zoom': { url: `/trace/${slow}?from=0&to=80000000` },
  'trace-gap': { url: `/trace/${kRootlessTrace}?from=0&to=14000000` },
  'trace-collapsed': { url: `/trace/${slow}?level=3` },
  'trace-rootless': { url: `/trace/${kRootlessTrace}` },
  'trace-skew': { url: `/trace/${kSkewTrace}?critical=1` },
  'trace-unknown': { url: '/trace/00000000000000000000000000000001' },
  'trace-table': { url: `/trace/${slow}?view=table&sort=-self` },
  'trace-groups': { url: `/trace/${slow}?view=table&group=operation` },
  'trace-json': { url: `/trace/${slow}?view=json` },
  'trace-big': { url: `/trace/${kBigTrace}`, act: async (page) => page.waitForTimeout(1500) },
  'trace-big-open': { url: `/trace/${kBigTrace}?fold=0`, act: async (page) => {
    await page.waitForTimeout(1500);
    await page.locator('.waterfall-scroll').evaluate((box) => { box.scrollTop = 700000; });
    await page.waitForTimeout(400);
  } },
  help: { url: `/trace/${slow}`, act: async (page) => page.keyboard.press('?') },
  palette: { url: '/search', act: async (page) => { await page.keyboard.press('Control+k'); await page.waitForTimeout(300); } },
};

const width = Number(process.env.SHOT_WIDTH ?? 1440);
const wanted = process.argv.slice(2);
const browser = await launch();
for (const scheme of ['light', 'dark']) {
  const context = await browser.newContext({ viewport: { width, height: 860 }, colorScheme: scheme });
  for (const [name, shot] of Object.entries(kShots)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && console.log(`${name}: ${message.text()}`));
    page.on('pageerror', (error) => console.log(`${name}: ${error.stack}`));
    await page.goto((shot.base ?? full.url) + shot.url);
    await page.waitForTimeout(700);
    await shot.act?.(page);
    await page.screenshot({ path: here(`shots/${name}-${scheme}.png`) });
    await page.close();
  }
  await context.close();
}
await browser.close();
full.server.close();
empty.server.close();
process.exit(0);
