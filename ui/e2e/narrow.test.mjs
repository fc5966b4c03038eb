// SPDX-License-Identifier: Apache-2.0
//
// Half a screen and a phone: nothing runs out of the window sideways, and the parts of a trace share
// its height.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually, freshId, ownCheckout, send, TraceMaker, useWeft } from './weft.mjs';

const weft = useWeft();

describe('narrow windows', () => {
  const suffix = `-narrow${Date.now().toString(36)}`;
  const maker = ownCheckout(suffix, 3);
  before(async () => {
    await send(weft, maker);
  });
  const kAll = `/search?range=all&q=${encodeURIComponent(`{ resource.service.name = "gateway${suffix}" }`)}`;
  const kHeight = 860;
  const open = (path, width) => weft.open(path, { viewport: { width, height: kHeight } });
  const box = (page, selector) => page.locator(selector).evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return { top: Math.round(top), bottom: Math.round(bottom) };
  });
  const assertFits = async (page, width) =>
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);

  const insideWindow = (page, width) => eventually(async () => {
    const { panel, inner } = await page.locator('.menu-panel').evaluate((element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const parts = [...element.querySelectorAll('*')].map((part) => part.getBoundingClientRect()).filter((part) => part.width > 1);
      return { panel: { left, right, top, bottom }, inner: Math.max(...parts.map((part) => part.right)) };
    });
    assert.ok(panel.left >= 0 && panel.right <= width && panel.bottom <= kHeight, JSON.stringify(panel));
    assert.ok(inner <= panel.right, `a part reaches to ${inner}, the panel to ${panel.right}`);
  });

  for (const width of [1000, 700, 420, 360]) {
    it(`search, ${width}`, async () => {
      const page = await open(kAll, width);
      await page.waitForSelector('tr[data-trace]');
      await assertFits(page, width);
      const root = await page.locator('tr[data-trace] .root').first().boundingBox();
      assert.ok(root.width > 100, `the root has room for its name: ${root.width}`);
      assert.ok((await page.locator('tr[data-trace] .root b').first().boundingBox()).width > 60, 'the name is seen');
      const cut = await page.locator('tr[data-trace] .when, tr[data-trace] .duration').evaluateAll((cells) =>
        cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.innerText));
      assert.deepEqual(cut, [], 'no time is cut off');
      await page.locator('.fold button').first().click();
      await page.waitForSelector('.match');
      await assertFits(page, width);
      assert.deepEqual(page.complaints, []);
      await page.close();
    });

    it(`trace, ${width}`, async () => {
      const page = await open(`/trace/${maker.traceId}`, width);
      await page.waitForSelector('[role=treegrid] [role=row]');
      await assertFits(page, width);
      const beside = width > 900;
      await eventually(async () => assert.equal((await box(page, '.waterfall-bars')).bottom, kHeight));
      // The fifth level has room for a dozen letters.
      const fifth = await page.locator('.tree-row[aria-level="5"] .name-pair b').first().boundingBox();
      assert.ok(fifth.width >= 80, `the fifth level can be read: ${fifth.width}`);
      await page.keyboard.press('e');
      await page.locator('.attribute').first().waitFor();
      await eventually(async () => {
        const [bars, panel] = [await box(page, '.waterfall-bars'), await box(page, '.span-panel')];
        assert.equal(panel.bottom, kHeight);
        assert.equal(bars.bottom, beside ? kHeight : panel.top);
        assert.ok(bars.bottom - bars.top > 150, 'rows are left to see');
      });
      await assertFits(page, width);
      assert.deepEqual(page.complaints, []);
      await page.close();
    });

    it(`menus stay in the window, and what is in them in the menu, ${width}`, async () => {
      const page = await open(kAll, width);
      await page.waitForSelector('tr[data-trace]');
      await page.locator('.range-picker > button').click();
      await insideWindow(page, width);
      await page.goto(`${weft.url}/trace/${maker.traceId}`);
      await page.waitForSelector('[role=treegrid] [role=row]');
      for (const name of ['Legend', 'services']) {
        await page.locator('.trace-toolbar .menu > button', { hasText: name }).click();
        await insideWindow(page, width);
        await page.keyboard.press('Escape');
      }
      await page.close();
    });

    it(`table, ${width}`, async () => {
      const page = await open(`/trace/${maker.traceId}?view=table`, width);
      await page.waitForSelector('.span-table tbody tr');
      await assertFits(page, width);
      const cut = await page.locator('.table-sticky td.num:visible').evaluateAll((cells) =>
        cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.innerText));
      assert.deepEqual(cut, [], 'no time is cut off');
      await page.close();
    });
  }

  it('a phone shows the whole trace id, and how many services have no room', async () => {
    const m = new TraceMaker(8, freshId());
    const root = m.span('service-0', 'GET /', 2, null, 0, 80_000);
    for (let i = 1; i < 8; i++) m.span(`service-${i}`, `step ${i}`, 2, root, i * 10_000, 9_000 - i * 500);
    await send(weft, m);
    const page = await open(`/trace/${m.traceId}`, 390);
    await page.waitForSelector('[role=treegrid] [role=row]');
    const strip = (rest) => eventually(async () => {
      assert.match(await page.locator('.strip-rest').innerText(), rest);
      assert.equal(await page.locator('.strip-name').count() + Number(/\d+/.exec(await page.locator('.strip-rest').innerText())[0]), 8);
    });
    await strip(/^\+5 more [\d.]+ ms \d+ %$/);
    await assertFits(page, 390);
    const code = page.locator('.trace-id code');
    assert.equal(await code.innerText(), m.traceId);
    const seen = await code.boundingBox();
    assert.ok(seen.x >= 0 && seen.x + seen.width <= 390 && seen.height < 24, JSON.stringify(seen));
    assert.ok(await page.locator('.trace-id button[aria-label="Copy the trace id"]').isVisible());
    await page.setViewportSize({ width: 1200, height: kHeight });
    await strip(/^\+2 more /);
    await page.close();
  });

  for (const width of [1200, 700, 390]) {
    it(`durations of one unit have one number of digits, in search and table, ${width}`, async () => {
      const name = `digits${width}${suffix}`;
      let first = '';
      for (const us of [4_080_000, 4_229_200, 4_229_300, 10_260_000, 318_000]) {
        const m = new TraceMaker(9, freshId());
        const root = m.span(name, 'GET /', 2, null, 0, us);
        for (const part of [12_340, 12_341, 150_000, 9_000]) m.span(name, 'part', 3, root, part, part);
        await send(weft, m);
        first ||= m.traceId;
      }
      const alike = async (cells) => {
        const texts = (await cells.allInnerTexts()).map((text) => /([\d.]+) (\w+)/.exec(text)).filter((match) => match !== null);
        const digits = new Map();
        for (const [text, number, unit] of texts) {
          const behind = number.split('.')[1]?.length ?? 0;
          assert.equal(digits.get(unit) ?? behind, behind, text);
          digits.set(unit, behind);
        }
        const style = await cells.first().evaluate((cell) => [getComputedStyle(cell).textAlign, getComputedStyle(cell).fontVariantNumeric]);
        assert.deepEqual(style, ['right', 'tabular-nums']);
        return texts.length;
      };
      const page = await open(`/search?range=all&q=${encodeURIComponent(`{ resource.service.name = "${name}" }`)}`, width);
      await page.waitForSelector('tr[data-trace]');
      assert.equal(await alike(page.locator('.results .duration')), 5);
      const cut = () => page.locator('td.num:visible').evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.innerText));
      assert.deepEqual(await cut(), []);
      await page.goto(`${weft.url}/trace/${first}?view=table`);
      await page.waitForSelector('.span-table tbody tr');
      for (const column of [3, 4, 5]) assert.equal(await alike(page.locator(`.span-table tbody td:nth-child(${column})`)), 5);
      assert.deepEqual(await cut(), []);
      await page.close();
    });
  }
});
