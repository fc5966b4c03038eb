// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually, freshId, ownCheckout, send, TraceMaker, useWeft } from './weft.mjs';
import { skewed } from '../mock/shop.mjs';

const weft = useWeft();
const kServer = 2;
const kClient = 3;

// One slow checkout with every mark that a trace can have.
function specimen() {
  const m = new TraceMaker(1, freshId());
  const root = m.span('gateway', 'POST /checkout', kServer, null, 0, 2_000_000, { attributes: { 'http.route': '/checkout', 'user.id': 'u-17' } });
  const pay = m.span('payment', 'charge', kServer, root, 100_000, 1_800_000, {
    error: 'card network timed out', attributes: { 'payment.amount': 12.5, 'payment.tries': 3 },
    events: [{ atUs: 900_000, name: 'exception', attributes: { 'exception.type': 'Timeout' } }],
  });
  for (let i = 0; i < 12; i++) m.span('payment', 'SELECT card', kClient, pay, 120_000 + i * 5_000, 4_000, { attributes: { 'db.row': i } });
  const wait = m.span('stripe-api', 'POST /v1/charges', kServer, pay, 300_000, 1_500_000);
  m.log(pay, 1_000_000, 'ERROR', 'gave up after three tries', { tries: 3 });
  return { maker: m, root, pay, wait };
}

const rows = (page) => page.locator('[role=treegrid] [role=row]:not([hidden])').evaluateAll((list) =>
  list.sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex'))).map((row) => row.innerText.replace(/\s+/g, ' ').trim()));

describe('trace', () => {
  let one;
  before(async () => {
    one = specimen();
    await send(weft, one.maker);
  });
  const open = async (rest = '') => {
    const page = await weft.open(`/trace/${one.maker.traceId}${rest}`);
    await page.waitForSelector('[role=treegrid] [role=row]');
    return page;
  };

  it('shows header, strip and rows', async () => {
    const page = await open();
    const header = await page.locator('.trace-header').innerText();
    assert.match(header, /gateway\s*POST \/checkout/);
    for (const fact of [/2\.00 s/, /15 spans/, /3 services/, /1 error/, /1 log line/]) assert.match(header, fact);
    assert.match(await page.locator('.time-strip li').first().innerText(), /stripe-api\s*1\.50 s/);
    const shown = await eventually(async () => {
      const list = await rows(page);
      assert.equal(list.length, 4);
      return list;
    });
    assert.match(shown[0], /gateway POST \/checkout/);
    assert.match(shown[1], /payment charge/);
    assert.match(shown[2], /12 × SELECT card/);
    assert.match(shown[3], /stripe-api POST \/v1\/charges/);
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  it('unfolds a run and collapses a subtree, and the address keeps both', async () => {
    const page = await open();
    await page.locator('.tree-caret').nth(2).click();
    await eventually(async () => assert.equal((await rows(page)).length, 15));
    await page.waitForFunction(() => location.search.includes('unfolded='));
    await page.reload();
    await page.waitForFunction(() => document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount') === '15');
    await page.locator('.tree-caret').nth(1).click();
    await page.waitForFunction(() => document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount') === '2');
    await eventually(async () => assert.equal(await page.locator('[role=row][aria-level="2"]').getAttribute('aria-expanded'), 'false'));
    await page.close();
  });

  it('shows a span: attributes, logs, own time, and the way into a query', async () => {
    const page = await open();
    await page.locator('.tree-row', { hasText: 'charge' }).first().click();
    const panel = page.locator('.span-panel');
    await panel.locator('.attribute').first().waitFor();
    const text = await panel.innerText();
    for (const part of ['card network timed out', 'payment.amount', '12.5', 'payment.tries', 'gave up after three tries', 'ERROR', 'exception', 'service.name']) {
      assert.ok(text.includes(part), `${part} is missing in ${text}`);
    }
    assert.match(text, /Own time\s*2\d\d ms/);
    const link = await panel.locator('a.value', { hasText: /^3$/ }).first().getAttribute('href');
    assert.equal(new URL(link, weft.url).searchParams.get('q'), '{ span.payment.tries = 3 }');
    await eventually(() => assert.equal(new URL(page.url()).searchParams.get('span'), one.pay.spanId));
    await page.goBack();
    await panel.waitFor({ state: 'detached' });
    await page.goForward();
    await panel.waitFor();
    await page.close();
  });

  it('is worked by keys alone', async () => {
    const page = await open();
    const active = () => page.locator('[role=row][aria-selected=true]').innerText({ timeout: 2000 });
    await page.keyboard.press('e');
    await eventually(async () => assert.match(await active(), /charge/));
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await eventually(async () => assert.match(await active(), /stripe-api/));
    await page.keyboard.press('ArrowLeft');
    await eventually(async () => assert.match(await active(), /charge/));
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount') === '2');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('End');
    await page.keyboard.press('f');
    await page.waitForFunction(() => /from=\d/.test(location.search));
    await page.keyboard.press('0');
    await page.waitForFunction(() => !location.search.includes('from='));
    await page.keyboard.press('?');
    await page.locator('dialog[open] >> text=Next error').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({ state: 'detached' }).catch(() => undefined);
    await page.keyboard.press('Escape');
    await page.locator('.span-panel').waitFor({ state: 'detached' });
    await page.close();
  });

  it('finds in names, attributes and logs, with counts', async () => {
    const page = await open();
    await page.keyboard.press('/');
    await page.keyboard.type('gave up');
    await page.locator('.find-count', { hasText: '1 log' }).waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.span-panel', { hasText: 'charge' }).waitFor();
    await page.locator('#find').fill('select card');
    await page.locator('.find-count', { hasText: '12 names' }).waitFor();
    await page.locator('#find').press('Enter');
    await page.locator('.tree-row.selected', { hasText: 'SELECT card' }).waitFor();
    const jaeger = await open('?uiFind=stripe');
    await jaeger.locator('.find-count', { hasText: '1 span' }).waitFor();
    await jaeger.close();
    await page.close();
  });

  it('shows the critical path strongly, apart from the filter', async () => {
    const m = new TraceMaker(4, freshId());
    const root = m.span('web', 'GET /', kServer, null, 0, 100_000);
    m.span('web', 'the long one', kClient, root, 5_000, 90_000);
    m.span('web', 'beside it', kClient, root, 10_000, 20_000);
    await send(weft, m);
    const page = await weft.open(`/trace/${m.traceId}`);
    await page.waitForSelector('[role=treegrid] [role=row]');
    const pale = () => page.locator('.tree-row.off-path:not([hidden])').allInnerTexts();
    const count = () => page.locator('[role=treegrid]').getAttribute('aria-rowcount');
    assert.deepEqual(await pale(), []);
    await page.locator('.button-pair button', { hasText: 'Critical path' }).click();
    await page.waitForFunction(() => location.search.includes('path=1'));
    await page.reload();
    await eventually(async () => assert.deepEqual((await pale()).map((text) => text.trim().split('\n')[0]), ['beside it']));
    assert.equal(await count(), '3');
    await page.locator('.button-pair button', { hasText: 'only' }).click();
    await eventually(async () => assert.equal(await count(), '2'));
    await page.keyboard.press('p');
    await eventually(async () => assert.deepEqual(await pale(), []));
    await page.close();
  });

  it('has a legend of its marks', async () => {
    const page = await open();
    await page.locator('button', { hasText: 'Legend' }).click();
    const legend = page.locator('.legend');
    for (const text of ['critical path', 'orphan', 'began here', 'moved', 'log lines', 'many spans in one line', 'folded repeats']) {
      assert.ok((await legend.innerText()).includes(text), text);
    }
    await page.keyboard.press('Escape');
    await legend.waitFor({ state: 'detached' });
    await page.close();
  });

  it('leads from "n log lines" to the lines, and from a line to its span', async () => {
    const page = await open();
    await page.locator('.trace-facts a', { hasText: '1 log line' }).click();
    await page.locator('.log-table tbody tr', { hasText: 'gave up after three tries' }).click();
    await page.locator('.span-panel', { hasText: 'charge' }).waitFor();
    assert.ok(new URL(page.url()).searchParams.get('view') === 'logs');
    await page.locator('[role=tab]', { hasText: 'Waterfall' }).click();
    await page.keyboard.press('Escape');
    await page.locator('.mark-logs').first().click();
    await page.locator('.span-panel .moments', { hasText: 'gave up' }).waitFor();
    await page.close();
  });

  it('says what a folded line counts', async () => {
    const page = await open();
    const folded = page.locator('.tree-row', { hasText: '12 × ' });
    assert.match(await folded.locator('.name-pair').getAttribute('title'), /12 calls alike.*SELECT card/);
    assert.match(await folded.locator('.unseen').textContent(), /12 calls alike/);
    await page.close();
  });

  it('filters by service and by error', async () => {
    const page = await open();
    await page.locator('.strip-name', { hasText: 'stripe-api' }).click();
    await page.waitForFunction(() => document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount') === '3');
    await eventually(() => assert.ok(new URL(page.url()).searchParams.getAll('services').includes('stripe-api')));
    await page.goBack();
    await page.waitForFunction(() => document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount') === '4');
    await page.locator('.trace-toolbar button', { hasText: 'Errors' }).click();
    await page.waitForFunction(() => document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount') === '2');
    await page.close();
  });

  it('has a table, sums, and OTLP', async () => {
    const page = await open('?view=table&sort=-duration'.replace('view=table&', ''));
    await page.locator('[role=tab]', { hasText: 'Table' }).click();
    await page.locator('.span-table tbody tr').first().waitFor();
    assert.match(await page.locator('.span-table tbody tr').first().innerText(), /POST \/checkout/);
    await page.locator('button', { hasText: 'By operation' }).click();
    await page.locator('.span-table td', { hasText: 'SELECT card' }).waitFor();
    await page.locator('[role=tab]', { hasText: 'JSON' }).click();
    await page.locator('.json-view pre', { hasText: 'gateway' }).waitFor();
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  it('zooms by the minimap', async () => {
    const page = await open();
    const box = await page.locator('.minimap').boundingBox();
    await page.mouse.move(box.x + box.width * 0.25, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await page.waitForFunction(() => location.search.includes('from='));
    const parameters = new URL(page.url()).searchParams;
    assert.ok(Math.abs(Number(parameters.get('from')) - 5e8) < 2e7, parameters.get('from'));
    assert.ok(Math.abs(Number(parameters.get('to')) - 1e9) < 2e7, parameters.get('to'));
    await page.goBack();
    await page.waitForFunction(() => !location.search.includes('from='));
    await page.close();
  });
});

describe('unfinished and skewed traces', () => {
  it('says that the root is missing, and shows it when it comes', async () => {
    const whole = ownCheckout('', 21);
    const late = whole.spans.splice(0, 1);
    const base = Date.now() - 5000;
    await send(weft, whole, base);
    const page = await weft.open(`/trace/${whole.traceId}`);
    await page.locator('text=The root span has not arrived').waitFor();
    whole.spans = late;
    whole.logs = [];
    await send(weft, whole, base);
    await page.locator('text=The root span has not arrived').waitFor({ state: 'detached' });
    await eventually(async () => assert.match((await rows(page))[0], /gateway POST \/checkout/));
    await page.close();
  });
  it('waits for a trace that is unknown', async () => {
    const maker = ownCheckout('', 22);
    const page = await weft.open(`/trace/${maker.traceId}`);
    await page.locator('text=No span of this trace is here').waitFor();
    await send(weft, maker);
    await page.waitForSelector('[role=treegrid] [role=row]');
    await page.close();
  });
  it('shows skew and lets one switch the correction off', async () => {
    const maker = skewed(7);
    maker.traceId = freshId();
    const header = await send(weft, maker);
    assert.ok(header.skewCorrected > 0);
    const page = await weft.open(`/trace/${maker.traceId}`);
    await page.locator('text=The clocks of some services disagree').waitFor();
    await page.locator('text=Show times as received').click();
    await page.locator('text=Show corrected times').waitFor();
    await eventually(() => assert.equal(new URL(page.url()).searchParams.get('skew'), '0'));
    await page.close();
  });
});
