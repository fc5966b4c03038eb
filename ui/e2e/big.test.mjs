// SPDX-License-Identifier: Apache-2.0
//
// A trace of 100,000 spans: opened, scrolled, collapsed and searched, with the times it takes.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { big, deep } from '../mock/shop.mjs';
import { eventually, freshId, send, useWeft } from './weft.mjs';

const kSpans = 100_000;
const kAtOnce = 5000;
const weft = useWeft();

describe(`a trace of ${kSpans} spans`, () => {
  const traceId = freshId();
  before(async () => {
    const whole = big(5, kSpans);
    whole.traceId = traceId;
    const base = Date.now() - 120_000;
    const { spans } = whole;
    for (let from = 0; from < spans.length; from += kAtOnce) {
      whole.spans = spans.slice(from, from + kAtOnce);
      const response = await fetch(`${weft.otlp}/v1/traces`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(whole.otlp(base).traces),
      });
      assert.equal(response.status, 200);
    }
    whole.spans = spans;
    whole.logs = [];
    await send(weft, { traceId, spans, logs: [], otlp: () => ({ traces: { resourceSpans: [] }, logs: { resourceLogs: [] } }) });
  });

  it('opens, scrolls, collapses, finds', async () => {
    const page = await weft.open(`/trace/${traceId}?fold=0`);
    await page.waitForFunction(() => performance.getEntriesByName('weft-trace-complete').length > 0, null, { timeout: 60_000 });
    const marks = await page.evaluate(() => Object.fromEntries(performance.getEntriesByType('mark').map((mark) => [mark.name, mark.startTime])));
    const first = marks['weft-trace-first-paint'] - marks['weft-trace-header'];
    const complete = marks['weft-trace-complete'] - marks['weft-trace-header'];
    console.log(`first paint ${first.toFixed(0)} ms and complete ${complete.toFixed(0)} ms after the header`);
    assert.equal(await page.locator('[role=treegrid]').getAttribute('aria-rowcount'), String(kSpans));
    assert.match(await page.locator('.trace-header').innerText(), /100\u202f000 spans/);

    const frames = await page.locator('.waterfall-scroll').evaluate(async (box) => {
      const times = [];
      let before = performance.now();
      for (let i = 0; i < 60; i++) {
        box.scrollTop += 4000;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        times.push(now - before);
        before = now;
      }
      return times.sort((a, b) => a - b);
    });
    console.log(`frames while scrolling: median ${frames[30].toFixed(1)} ms, longest ${frames[59].toFixed(1)} ms`);
    assert.ok((await page.locator('[role=row]').count()) < 100, 'only rows on screen are elements');

    const collapse = await page.evaluate(async () => {
      const before = performance.now();
      document.dispatchEvent(new KeyboardEvent('keydown', { key: '{' }));
      await new Promise(requestAnimationFrame);
      await new Promise(requestAnimationFrame);
      return performance.now() - before;
    });
    console.log(`collapse everything: ${collapse.toFixed(1)} ms`);
    assert.equal(await page.locator('[role=treegrid]').getAttribute('aria-rowcount'), '1');
    await page.keyboard.press('}');
    await page.keyboard.press('e');
    await page.locator('.span-panel .attribute').first().waitFor();
    await page.locator('#find').fill('deadlock');
    await page.locator('#find').press('Escape');
    await page.keyboard.press('End');
    await page.waitForFunction((count) => document.querySelector('[role=row][aria-selected=true]')?.getAttribute('aria-rowindex') === String(count), kSpans);
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  it('folds like siblings into lines that say how many', async () => {
    const page = await weft.open(`/trace/${traceId}`);
    await page.locator('.tree-row', { hasText: '125 × ' }).first().waitFor();
    assert.ok(Number(await page.locator('[role=treegrid]').getAttribute('aria-rowcount')) < 1000);
    await page.close();
  });
});

describe('a trace of 10,000 levels', () => {
  const kLevels = 10_000;
  let maker;
  before(async () => {
    maker = deep(9, kLevels);
    maker.traceId = freshId();
    await send(weft, maker);
  });
  it('keeps its names in sight, cuts its path in the middle, and reaches its end at once', async () => {
    const page = await weft.open(`/trace/${maker.traceId}?fold=0`);
    await page.waitForFunction(() => performance.getEntriesByName('weft-trace-complete').length > 0, null, { timeout: 60_000 });
    const took = await page.evaluate(async () => {
      const before = performance.now();
      document.dispatchEvent(new KeyboardEvent('keydown', { key: 'End' }));
      do await new Promise(requestAnimationFrame);
      while (document.querySelector('[role=row][aria-selected=true]') === null || document.querySelectorAll('.waterfall-path button').length < 2);
      return performance.now() - before;
    });
    console.log(`End in ${kLevels} levels: ${took.toFixed(0)} ms`);
    const row = page.locator('[role=row][aria-selected=true]');
    assert.equal(await row.getAttribute('aria-rowindex'), String(kLevels));
    const name = await row.locator('.name-pair b').boundingBox();
    const tree = await page.locator('.waterfall-tree').boundingBox();
    assert.ok(name.width >= 100 && name.x + name.width <= tree.x + tree.width, JSON.stringify(name));
    assert.match(await row.innerText(), /10\u202f000/);
    const path = page.locator('.waterfall-path');
    assert.match(await path.innerText(), /^level 1 of a recursion[\s\S]*\u2026 9\u202f9\d\d[\s\S]*level 99\d\d of a recursion$/);
    assert.ok(await path.evaluate((element) => element.scrollWidth <= element.clientWidth), 'the path has room');
    await path.locator('button').first().click();
    await eventually(async () => assert.equal(await page.locator('[role=row][aria-selected=true]').getAttribute('aria-rowindex'), '1'));
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
});
