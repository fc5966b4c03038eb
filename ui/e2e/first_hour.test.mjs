// SPDX-License-Identifier: Apache-2.0
//
// What people paste, the addresses they come from, errors that say what to do, and a prefix of a proxy.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually, isMock, ownCheckout, send, useWeft } from './weft.mjs';

const weft = useWeft();
const suffix = `-h${Date.now().toString(36)}`;
const maker = ownCheckout(suffix, 3);
const id = maker.traceId;
const pay = maker.spans.find((span) => span.name === 'POST /charge');

before(() => send(weft, maker));

const atTrace = async (page) => {
  await page.waitForURL(`**/trace/${id}*`);
  await page.waitForSelector('[role=treegrid] [role=row]');
};

describe('a pasted trace id', () => {
  const dashed = id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const kForms = {
    alone: id, 'in capitals': id.toUpperCase(), dashed, 'padded with zeros': `0000${id}`, traceparent: `00-${id}-${pay.spanId}-01`, 'an address of another system': `http://jaeger:16686/trace/${id}?uiFind=x`,
    'a log line': `ERROR refused trace_id=${id} span_id=${pay.spanId}`,
  };
  for (const [name, text] of Object.entries(kForms)) {
    it(`opens its trace: ${name}`, async () => {
      const page = await weft.open('/search');
      await page.locator('.jump input').fill(text);
      await page.locator('.jump input').press('Enter');
      await atTrace(page);
      if (text.includes(pay.spanId)) await page.locator('.span-panel h2', { hasText: 'POST /charge' }).waitFor();
      assert.deepEqual(page.complaints, []);
      await page.close();
    });
  }
  it('is understood on the query line and in the palette too', async () => {
    const page = await weft.open('/search');
    await page.locator('#query').fill(kForms.traceparent);
    await page.locator('#query').press('Enter');
    await atTrace(page);
    await page.keyboard.press('Control+k');
    await page.locator('#command-0').waitFor();
    await page.keyboard.type(dashed);
    await page.locator('#command-0', { hasText: `Open trace ${id}` }).waitFor();
    await page.close();
  });
  const kNone = {
    zzz: 'zzz is no trace id', 'not%20one': 'not one is no trace id', 'zzz/span/4': 'zzz/span/4 is no trace id', '00000000000000000000000000000000': 'is no trace id',
    '%25zz': '%zz is no trace id', '': 'has no trace id',
  };
  for (const [text, said] of Object.entries(kNone)) {
    it(`is missed in the address /trace/${text}, where another can be opened`, async () => {
      const page = await weft.open(`/trace/${text}`);
      await page.locator('.state-box h2', { hasText: said }).waitFor();
      assert.equal(await page.locator('text=no such page').count(), 0);
      await page.locator('.state-box .jump input').fill(id);
      await page.locator('.state-box .jump input').press('Enter');
      await atTrace(page);
      assert.deepEqual(page.complaints, []);
      await page.close();
    });
  }
  it('that is none is said to be none', async () => {
    const page = await weft.open('/search');
    await page.locator('.jump input').fill('checkout');
    await page.locator('.jump input').press('Enter');
    await eventually(async () => assert.equal(await page.locator('.jump input').getAttribute('aria-invalid'), 'true'));
    await page.close();
  });
});

describe("jaeger-ui's other addresses", () => {
  it('/dependencies is a table that sorts and leads to traces', async () => {
    const page = await weft.open('/dependencies');
    await page.locator('.calls tbody tr', { hasText: `gateway${suffix}` }).first().waitFor();
    await page.locator('.calls th button', { hasText: 'Calling service' }).click();
    const callers = await eventually(async () => {
      const list = await page.locator('.calls tbody td:first-child').allInnerTexts();
      assert.deepEqual(list, [...list].sort((a, b) => (a < b ? -1 : 1)));
      return list;
    });
    assert.ok(callers.length > 3);
    const row = page.locator('.calls tbody tr', { hasText: `gateway${suffix}` }).first();
    await row.locator('a', { hasText: 'traces with both' }).click();
    await page.waitForSelector(`tr[data-trace="${id}"]`);
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
  it('/deep-dependencies shows the calls of its service', async () => {
    const page = await weft.open(`/deep-dependencies?service=fraud${suffix}`);
    await page.locator('text=no graph of operations').waitFor();
    await page.locator('.calls tbody tr').first().waitFor();
    for (const text of await page.locator('.calls tbody tr').allInnerTexts()) assert.match(text, new RegExp(`fraud${suffix}`));
    await page.close();
  });
  it('/monitor leads to the searches that answer', async () => {
    const page = await weft.open(`/monitor?service=gateway${suffix}`);
    await page.locator('text=does not draw metrics').waitFor();
    await page.locator('.monitor a', { hasText: 'requests' }).click();
    await page.waitForSelector('tr[data-trace]');
    await page.close();
  });
  it('/trace/A...B links to both', async () => {
    const other = '0000000000000000000000000000beef';
    const page = await weft.open(`/trace/${id}...beef?cohort=${id}`);
    await page.locator('text=does not compare traces').waitFor();
    assert.deepEqual(await page.locator('.trace-links a').allInnerTexts(), [id, other]);
    await page.locator('.trace-links a').first().click();
    await atTrace(page);
    await page.goto(`${weft.url}/compare`);
    await page.locator('text=does not compare traces').waitFor();
    await page.close();
  });
});

describe('an error with a hint', () => {
  it('is mended by a click', async () => {
    const page = await weft.open(`/search?q=${encodeURIComponent(`{ resource.service.name = "gateway${suffix}" && statuss != ok }`)}`, {});
    if (isMock) {
      // The mock knows no hints: the server's are given here.
      await page.route('**/api/weft/v1/search?*', (route) => route.request().url().includes('statuss')
        ? route.fulfill({ status: 400, json: { error: { code: 'invalid_argument', message: 'unknown word statuss', retryAfterS: 0, line: 1, column: 39 + suffix.length + 1, hint: 'did you mean status, or the attribute .statuss?', text: '' } } })
        : route.continue());
      await page.reload();
    }
    await page.locator('.fix', { hasText: 'status' }).first().click();
    await page.waitForSelector('tr[data-trace]');
    assert.equal(await page.locator('#query').inputValue(), `{ resource.service.name = "gateway${suffix}" && status != ok }`);
    await page.close();
  });
  it('names of services that nobody has say so with the nearest', async () => {
    const page = await weft.open(`/search?q=${encodeURIComponent(`{ resource.service.name = "gatewai${suffix}" }`)}`);
    const fix = page.locator('.notice .fix');
    await fix.waitFor();
    await fix.click();
    await page.waitForSelector('tr[data-trace]');
    await page.close();
  });
});

describe('under the prefix of a proxy', { skip: !isMock && 'the server under test has no prefix' }, () => {
  const inside = useWeft({ base: '/tools/weft' });
  before(() => send(inside, ownCheckout('', 3)));
  it('every page works', async () => {
    const page = await inside.open('/search');
    await page.waitForSelector('tr[data-trace]');
    await page.locator('tr[data-trace] .root a').first().click();
    await page.waitForSelector('[role=treegrid] [role=row]');
    assert.match(new URL(page.url()).pathname, /^\/tools\/weft\/trace\/[0-9a-f]{32}$/);
    await page.keyboard.press('e');
    await page.keyboard.press('j');
    await page.locator('.span-panel .attribute').first().waitFor();
    await page.locator('.trace-facts a', { hasText: 'log line' }).click();
    await page.locator('.log-table tbody tr').first().waitFor();
    await page.reload();
    await page.locator('.log-table tbody tr').first().waitFor();
    await page.locator('.top-bar a', { hasText: 'Dependencies' }).click();
    await page.locator('.calls tbody tr').first().waitFor();
    await page.goBack();
    await page.goBack();
    await page.locator('.brand').click();
    await page.waitForSelector('tr[data-trace]');
    assert.equal(new URL(page.url()).pathname, '/tools/weft/search');
    await page.goto(inside.url);
    await page.waitForSelector('tr[data-trace]');
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
});
