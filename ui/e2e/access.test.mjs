// SPDX-License-Identifier: Apache-2.0
//
// axe finds nothing on any page, in either theme.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { before, describe, it } from 'node:test';
import { checkout } from '../mock/shop.mjs';
import { ownCheckout, send, useWeft } from './weft.mjs';

const kAxe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const weft = useWeft();

describe('axe', () => {
  const suffix = `-axe${Date.now().toString(36)}`;
  let seed = 1;
  while (!checkout(seed).spans.some((span) => span.error)) seed++;
  const maker = ownCheckout(suffix, seed);
  const all = `/search?range=all&q=${encodeURIComponent(`{ resource.service.name = "gateway${suffix}" }`)}`;
  before(async () => {
    await send(weft, maker);
  });
  const trace = `/trace/${maker.traceId}`;
  const kPages = {
    search: [all, 'tr[data-trace]'],
    'open matches': [all, 'tr[data-trace]', (page) => page.locator('.fold button').first().click()],
    'time range': [all, 'tr[data-trace]', (page) => page.locator('.range-picker button').click()],
    completion: [all, 'tr[data-trace]', async (page) => {
      await page.locator('#query').fill('{ ');
      await page.locator('#completions li').first().waitFor();
    }],
    'empty search': ['/search?start=1000000000000000000&end=1000000001000000000', '.state-box'],
    'failed search': [`/search?q=${encodeURIComponent('{ name == 3 }')}`, '[role=alert]'],
    trace: [trace, '[role=row]'],
    'selected span': [trace, '[role=row]', async (page) => {
      await page.keyboard.press('e');
      await page.locator('.attribute').first().waitFor();
    }],
    services: [trace, '[role=row]', (page) => page.locator('.trace-toolbar .menu > button', { hasText: 'service' }).click()],
    table: [`${trace}?view=table`, '.span-table tbody tr'],
    sums: [`${trace}?view=table&group=operation`, '.span-table tbody tr'],
    logs: [`${trace}?view=logs`, '.log-table tbody tr'],
    legend: [trace, '[role=row]', (page) => page.locator('button', { hasText: 'Legend' }).click()],
    'critical path': [`${trace}?path=1`, '.tree-row.off-path'],
    'one service and the way to it': [`${trace}?services=fraud${suffix}`, '.tree-row.context'],
    found: [`${trace}?find=charge`, '.tree-row.found'],
    'found beside the path': [`${trace}?path=1&find=quote`, '.tree-row.found.off-path'],
    dependencies: ['/dependencies', '.calls tbody tr'],
    monitor: ['/monitor', '.monitor li'],
    compare: ['/trace/1...2', '.trace-links'],
    'absolute times': [`${all}&times=absolute&sort=-duration`, 'tr[data-trace]'],
    json: [`${trace}?view=json`, '.json-view pre'],
    'unknown trace': ['/trace/00000000000000000000000000000001', '.state-box'],
    'no trace id': ['/trace/zzz', '.state-box'],
    'wrong fields': [all, 'tr[data-trace]', async (page) => {
      await page.locator('#form-tags').fill('foo bar');
      await page.locator('#span-duration-from').fill('100');
      await page.locator('.field-wrong').nth(1).waitFor();
    }],
    'no such page': ['/nowhere', '.state-box'],
    help: [trace, '[role=row]', async (page) => {
      await page.keyboard.press('?');
      await page.locator('dialog[open]').waitFor();
    }],
    palette: ['/search', '#query', async (page) => {
      await page.keyboard.press('Control+k');
      await page.locator('#command-0').waitFor();
    }],
  };
  for (const colorScheme of ['light', 'dark']) {
    for (const [name, [url, ready, act]] of Object.entries(kPages)) {
      it(`${name}, ${colorScheme}`, async () => {
        const page = await weft.open(url, { colorScheme, reducedMotion: 'reduce' });
        await page.waitForSelector(ready);
        await act?.(page);
        await page.evaluate(kAxe);
        const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
        const found = violations.map((violation) =>
          `${violation.id}: ${violation.help}\n    ${violation.nodes.slice(0, 3).map((node) => `${node.html}  ${node.any[0]?.message ?? ''}`).join('\n    ')}`);
        assert.ok(found.length === 0, found.join('\n'));
        await page.close();
      });
    }
  }
});
