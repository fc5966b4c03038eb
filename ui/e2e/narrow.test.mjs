// SPDX-License-Identifier: Apache-2.0
//
// Half a screen and a phone: nothing runs out of the window sideways, and the parts of a trace share
// its height.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually, ownCheckout, send, useWeft } from './weft.mjs';

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

  for (const width of [1000, 700, 420]) {
    it(`search, ${width}`, async () => {
      const page = await open(kAll, width);
      await page.waitForSelector('tr[data-trace]');
      await assertFits(page, width);
      const root = await page.locator('tr[data-trace] .root').first().boundingBox();
      assert.ok(root.width > 100, `the root has room for its name: ${root.width}`);
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
});
