// SPDX-License-Identifier: Apache-2.0
//
// What is filled into the search form wrong is said beside its field, and nothing is searched without it.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually, ownCheckout, send, useWeft } from './weft.mjs';

const weft = useWeft();
const suffix = `-form${Date.now().toString(36)}`;
const service = `gateway${suffix}`;

describe('the search form', () => {
  before(async () => {
    await send(weft, ownCheckout(suffix, 11));
  });
  const open = async () => {
    const page = await weft.open(`/search?range=1h&q=${encodeURIComponent(`{ resource.service.name = "${service}" }`)}`);
    await page.waitForSelector('tr[data-trace]');
    page.searches = 0;
    page.on('request', (request) => { if (request.url().includes('/api/weft/v1/search?')) page.searches++; });
    return page;
  };
  const wrongOf = (page, field) => page.locator(`[id="${field}-wrong"][role=alert]`);
  const submits = {
    Enter: (page, field) => page.locator(`#${field}`).press('Enter'),
    "the form's button": (page) => page.locator('.form-buttons button', { hasText: 'Search' }).click(),
    "the line's button": (page) => page.locator('.query-bar .button.primary').click(),
    'the status': (page) => page.locator('#form-status').selectOption('ok'),
    'the page size': (page) => page.locator('#form-limit').selectOption('100'),
    'the time range': async (page) => {
      await page.locator('.range-picker > button').click();
      await page.locator('.range-presets .button').nth(3).click();
    },
  };
  const kWrong = [
    ['form-tags', 'foo bar', 'foo'], ['form-tags', 'error', 'error'], ['form-tags', 'a="b', 'quote'], ['form-tags', 'k>', 'k>'],
    ['span-duration-from', '100', '100ms, 1.5s'], ['span-duration-to', 'abc', '100ms, 1.5s'],
    ['trace-duration-from', '5 parsecs', '100ms, 1.5s'], ['trace-duration-to', '-1s', '100ms, 1.5s'],
  ];
  for (const [field, text, said] of kWrong) {
    it(`says what is wrong with "${text}" in ${field}, while it has the focus`, async () => {
      const page = await open();
      await page.locator(`#${field}`).fill(text);
      await wrongOf(page, field).waitFor();
      assert.ok((await wrongOf(page, field).innerText()).includes(said));
      assert.equal(await page.evaluate(() => document.activeElement.id), field);
      assert.equal(await page.locator(`#${field}`).getAttribute('aria-invalid'), 'true');
      assert.equal(await page.locator(`#${field}`).getAttribute('aria-describedby'), `${field}-wrong`);
      const [at, form] = [await wrongOf(page, field).boundingBox(), await page.locator('.query-panel').boundingBox()];
      assert.ok(at.x >= form.x && at.x + at.width <= form.x + form.width, 'the message fits');
      assert.deepEqual(page.complaints, []);
      await page.close();
    });
  }

  it('does not search without the field, in any way, until it is mended', async () => {
    const page = await open();
    await page.locator('#form-tags').fill('foo bar');
    await wrongOf(page, 'form-tags').waitFor();
    const address = page.url();
    for (const [name, submit] of Object.entries(submits)) {
      await submit(page, 'form-tags');
      await page.waitForTimeout(150);
      assert.deepEqual([page.searches, page.url()], [0, address], name);
    }
    assert.equal(await page.locator('#form-limit').inputValue(), '50', 'shows what was searched with');
    await page.locator('#form-status').selectOption('');
    await page.locator('.form-buttons button', { hasText: 'Search' }).click();
    await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement.id), 'form-tags'));
    await page.locator('#form-tags').fill('http.route=/checkout');
    assert.equal(await wrongOf(page, 'form-tags').count(), 0);
    await page.locator('#form-tags').press('Enter');
    await eventually(() => assert.match(new URL(page.url()).searchParams.get('q'), /http\.route/));
    await page.waitForSelector('tr[data-trace]');
    assert.ok(page.searches > 0);
    await page.close();
  });

  it('takes an empty value', async () => {
    const page = await open();
    await page.locator('#form-tags').fill('k=');
    await page.locator('#form-tags').press('Enter');
    await eventually(() => assert.match(new URL(page.url()).searchParams.get('q'), /k = ""/));
    assert.equal(await wrongOf(page, 'form-tags').count(), 0);
    assert.equal(await page.locator('#form-tags').inputValue(), 'k=');
    await page.close();
  });

  it('Clear and an edited line leave nothing wrong behind', async () => {
    const page = await open();
    await page.locator('#span-duration-from').fill('100');
    await page.locator('.form-buttons button', { hasText: 'Clear' }).click();
    await eventually(() => assert.equal(new URL(page.url()).searchParams.get('q') ?? '{}', '{}'));
    assert.equal(await page.locator('#span-duration-from').inputValue(), '');
    await page.locator('#form-tags').fill('foo bar');
    await wrongOf(page, 'form-tags').waitFor();
    await page.locator('#query').fill(`{ resource.service.name = "${service}" && duration >= 1ms }`);
    await page.locator('#query').press('Enter');
    await eventually(() => assert.match(new URL(page.url()).searchParams.get('q'), /1ms/));
    assert.equal(await page.locator('[role=alert]').count(), 0);
    await page.close();
  });
});
