// SPDX-License-Identifier: Apache-2.0
//
// Both forms of a trace's times: corrected and as received; spans that nobody waits for, and those
// without a time.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { followsLink } from '../mock/shop.mjs';
import { eventually, freshId, isMock, send, TraceMaker, useWeft } from './weft.mjs';

const weft = useWeft();
const kServer = 2;
const kClient = 3;

// A server whose clock is 40 ms behind that of its client.
function skewedTrace() {
  const m = new TraceMaker(1, freshId());
  const root = m.span('web', 'GET /', kServer, null, 0, 100_000);
  const call = m.span('web', 'POST /pay', kClient, root, 10_000, 80_000);
  const pay = m.span('pay', 'POST /pay', kServer, call, -25_000, 70_000);
  m.span('pay', 'SELECT', kClient, pay, -20_000, 60_000);
  return m;
}

describe('clocks that disagree', () => {
  let maker;
  let header;
  before(async () => {
    maker = skewedTrace();
    header = await send(weft, maker);
  });
  const open = async (rest = '') => {
    const page = await weft.open(`/trace/${maker.traceId}${rest}`);
    await page.waitForSelector('[role=treegrid] [role=row]');
    return page;
  };
  const facts = (page) => page.locator('[role=row]:not([hidden]) [role=gridcell].unseen').allTextContents();

  it('are said, with how much each was moved', async () => {
    assert.equal(header.skewCorrected, 2);
    const page = await open();
    await page.locator('.notice', { hasText: '2 spans are moved' }).waitFor();
    assert.match(await page.locator('.clocks li').first().innerText(), /pay.*moved by/);
    assert.match(await page.locator('.trace-facts li').first().innerText(), /^100 ms$/);
    assert.ok((await facts(page)).some((text) => /^pay, .*moved by \+\d/.test(text)), 'a screen reader hears it');
    await page.locator('.tree-row', { hasText: 'SELECT' }).click();
    await page.locator('.facts', { hasText: 'moved by +' }).waitFor();
    await page.close();
  });

  it('as received: axis, path, shares and texts are others', async () => {
    const page = await open();
    const strip = () => page.locator('.time-strip li').allInnerTexts();
    const corrected = { strip: await strip(), facts: await facts(page) };
    await page.locator('text=Show times as received').click();
    await page.locator('.notice', { hasText: 'would be moved' }).waitFor();
    assert.match(await page.locator('.trace-facts li').first().innerText(), /^125 ms$/);
    assert.notDeepEqual(await strip(), corrected.strip);
    await eventually(async () => assert.notDeepEqual(await facts(page), corrected.facts));
    assert.ok((await facts(page)).every((text) => !text.includes('moved')));
    await page.locator('[role=tab]', { hasText: 'Table' }).click();
    await page.locator('.span-table tbody tr').first().waitFor();
    const starts = await page.locator('.span-table tbody tr td:nth-child(3)').allInnerTexts();
    assert.ok(starts.includes('0 ns') && starts.includes('25.00 ms'), `starts count from what is shown first: ${starts}`);
    await page.close();
  });

  it('shares of the table add up to the whole path in both forms', async () => {
    for (const form of ['', '&skew=0']) {
      const page = await weft.open(`/trace/${maker.traceId}?view=table${form}`);
      await page.locator('.span-table tbody tr').first().waitFor();
      const shares = (await page.locator('.span-table tbody tr td:nth-child(6)').allInnerTexts()).map((text) => Number(/([\d.]+)\s*%/.exec(text)?.[1] ?? 0));
      const sum = shares.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - 100) < 2, `${shares} add up to ${sum}`);
      await page.close();
    }
  });
});

describe('spans that the path does not know', () => {
  it('FOLLOWS_FROM: marked, and its parent keeps its own time', async () => {
    const m = new TraceMaker(2, freshId());
    const root = m.span('web', 'POST /order', kServer, null, 0, 100_000);
    m.span('mailer', 'send mail', 5, root, 20_000, 60_000, { links: [followsLink(m.traceId, root)] });
    await send(weft, m);
    const page = await weft.open(`/trace/${m.traceId}`);
    await page.locator('.tree-row', { hasText: 'send mail' }).locator('.mark[title^="follows from"]').waitFor();
    await page.locator('.tree-row', { hasText: 'POST /order' }).click();
    await page.locator('.facts', { hasText: /Own time\s*100 ms/ }).waitFor();
    assert.match(await page.locator('.facts').innerText(), /Critical path\s*100 ms\s*100 % of the path/);
    await page.locator('.tree-row', { hasText: 'send mail' }).click();
    await page.locator('.facts', { hasText: 'does not wait for it' }).waitFor();
    await page.close();
  });

  it('an end before the start, or none, is said in the details', async () => {
    const m = new TraceMaker(4, freshId());
    const root = m.span('web', 'GET /back', kServer, null, 0, 50_000);
    m.span('db', 'ends early', kClient, root, 20_000, -5_000);
    m.span('db', 'has no end', kClient, root, 30_000, 1_000, { endless: true });
    await send(weft, m);
    const page = await weft.open(`/trace/${m.traceId}`);
    const facts = async (name) => {
      await page.locator('.tree-row', { hasText: name }).click();
      await page.locator('.span-panel h2', { hasText: name }).waitFor();
      return page.locator('.facts');
    };
    await (await facts('ends early')).locator('.ends-early', { hasText: '5.00 ms before its start: its duration counts as 0' }).waitFor();
    await (await facts('has no end')).locator('.ends-early', { hasText: 'no end was given: its duration counts as 0' }).waitFor();
    assert.equal(await (await facts('GET /back')).locator('.ends-early').count(), 0);
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  it('without a time: in the rows, in no range', async () => {
    const m = new TraceMaker(3, freshId());
    const root = m.span('web', 'GET /timeless', kServer, null, 0, 50_000);
    m.span('db', 'lost its time', kClient, root, 0, 0, { untimed: true });
    await send(weft, m);
    const page = await weft.open(`/trace/${m.traceId}`);
    await page.locator('.tree-row', { hasText: 'lost its time' }).waitFor();
    assert.match(await page.locator('.trace-facts li').first().innerText(), /^50\.0 ms$/);
    await page.locator('[role=tab]', { hasText: 'Table' }).click();
    await page.locator('.span-table tbody tr', { hasText: 'lost its time' }).locator('text=no time').first().waitFor();
    if (isMock) {
      await page.goto(`${weft.url}/search?start=1&end=2`);
      assert.doesNotMatch(await page.locator('.data-range').innerText(), /19[67]\d/);
    }
    await page.close();
  });
});
