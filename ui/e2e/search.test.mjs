// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually, freshId, ownCheckout, send, TraceMaker, useWeft } from './weft.mjs';

const weft = useWeft();
const suffix = `-${Date.now().toString(36)}`;
const service = `gateway${suffix}`;
const query = `{ resource.service.name = "${service}" && name = "POST /checkout" }`;
const url = (q, rest = '') => `/search?q=${encodeURIComponent(q)}${rest}`;

describe('search', () => {
  const made = [];
  before(async () => {
    for (let i = 0; i < 5; i++) {
      const maker = ownCheckout(suffix, 11 + i);
      await send(weft, maker, Date.now() - 120_000 + i * 10_000);
      made.push(maker);
    }
  });

  it('finds traces, newest first, and opens one', async () => {
    const page = await weft.open(url(query));
    await page.waitForSelector('tr[data-trace]');
    const found = await page.locator('tr[data-trace]').evaluateAll((rows) => rows.map((row) => row.dataset.trace));
    assert.deepEqual(found, made.map((maker) => maker.traceId).reverse());
    assert.match(await page.locator('.results-line').first().innerText(), /5 traces.*spans read/s);
    await page.locator('tr[data-trace] .root a').first().click();
    await page.waitForSelector('[role=treegrid] [role=row]');
    assert.ok(page.url().includes(`/trace/${found[0]}`));
    await page.goBack();
    await page.waitForSelector('tr[data-trace]');
    await eventually(async () => assert.equal(await page.locator('#query').inputValue(), query));
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/trace/${found[1]}`);
    await page.waitForSelector('[role=treegrid] [role=row]');
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  it('writes the line from the form and the form from the line', async () => {
    const page = await weft.open('/search');
    await page.locator('#form-service').fill(service);
    await page.locator('[aria-label="Span duration at least"]').fill('1ms');
    await page.locator('#form-tags').fill('http.route=/checkout');
    const route = ['span', 'resource', 'instrumentation', 'event', 'link'].map((place) => `${place}.http.route = "/checkout"`).join(' || ');
    const line = `{ resource.service.name = "${service}" && duration >= 1ms && (${route}) }`;
    await eventually(async () => assert.equal(await page.locator('#query').inputValue(), line));
    await page.keyboard.press('Enter');
    await page.waitForSelector('tr[data-trace]');
    await eventually(() => assert.equal(new URL(page.url()).searchParams.get('q'), line));
    await page.locator('#query').fill(`{ resource.service.name = "${service}" && status = ok && duration <= 2s }`);
    await page.waitForFunction(() => document.querySelector('#form-status').value === 'ok');
    assert.equal(await page.locator('[aria-label="Span duration at most"]').inputValue(), '2s');
    assert.equal(await page.locator('#form-tags').inputValue(), '');
    await page.locator('#query').fill(line);
    await page.waitForFunction(() => document.querySelector('#form-tags').value === 'http.route=/checkout');
    await page.locator('#query').fill('{ name = "a" || name = "b" }');
    await page.waitForSelector('text=more than the form can show');
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  it('completes services and tags', async () => {
    const page = await weft.open('/search');
    await page.locator('#query').fill('');
    await page.locator('#query').pressSequentially(`{ resource.service.name = "gateway${suffix.slice(0, 4)}`);
    await page.locator('#completions li', { hasText: service }).first().waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Tab');
    await page.waitForFunction((name) => document.querySelector('#query').value.includes(`"${name}" `), service);
    await page.locator('#query').pressSequentially('&& span.http.ro');
    await page.locator('#completions li', { hasText: 'span.http.route' }).waitFor();
    await page.close();
  });

  it('pages by cursor, and goes back', async () => {
    const page = await weft.open(url(query, '&limit=2'));
    const ids = async () => page.locator('tr[data-trace]').evaluateAll((rows) => rows.map((row) => row.dataset.trace));
    await page.waitForSelector('tr[data-trace]');
    const first = await ids();
    const next = async () => {
      const shown = await ids();
      await page.locator('a[rel=next]').first().click();
      await page.waitForFunction((old) => {
        const row = document.querySelector('tr[data-trace]');
        return row !== null && row.dataset.trace !== old && document.querySelector('.stale') === null;
      }, shown[0]);
      return ids();
    };
    const all = [...first, ...(await next()), ...(await next())];
    assert.deepEqual(all, made.map((maker) => maker.traceId).reverse());
    assert.equal(await page.locator('a[rel=next]').count(), 0);
    await page.goBack();
    await page.goBack();
    await page.waitForFunction((id) => document.querySelector('tr[data-trace]')?.dataset.trace === id, first[0]);
    await page.close();
  });

  it('unfolds matches, and the address keeps that', async () => {
    const page = await weft.open(url(query));
    await page.locator('.fold button').first().click();
    await page.locator('.match a').first().waitFor();
    await page.reload();
    await page.locator('.match a').first().waitFor();
    await page.locator('.match a').first().click();
    await page.locator('.span-panel').waitFor();
    assert.match(await page.locator('.span-panel h2').innerText(), /POST \/checkout/);
    await page.close();
  });

  it('says where data is, and jumps there', async () => {
    const page = await weft.open(url(query, '&start=1000000000000000000&end=1000000001000000000'));
    await page.locator('.data-range').waitFor();
    assert.match(await page.locator('.data-range').innerText(), /\d{4}-\d\d-\d\d/);
    await page.locator('text=Search where data is').click();
    await page.waitForSelector('tr[data-trace]');
    await page.close();
  });

  it("shows the server's error and where it is", async () => {
    const page = await weft.open(url('{ name == 3 }'));
    await page.locator('[role=alert]').waitFor();
    assert.equal(await page.locator('#query').getAttribute('aria-invalid'), 'true');
    await page.locator('text=Try again').waitFor();
    await page.close();
  });

  it("reads jaeger-ui's addresses", async () => {
    const page = await weft.open(
      `/search?service=${service}&operation=POST%20%2Fcheckout&lookback=1h&minDuration=1ms&limit=20&tags=${encodeURIComponent('{"http.route":"/checkout"}')}`);
    await page.waitForSelector('tr[data-trace]');
    assert.equal(await page.locator('#form-service').inputValue(), service);
    assert.equal(await page.locator('#form-operation').inputValue(), 'POST /checkout');
    assert.equal(await page.locator('#form-tags').inputValue(), 'http.route=/checkout');
    assert.ok(new URL(page.url()).searchParams.get('q').includes('(span.http.route = "/checkout" || resource.http.route = '));
    await page.close();
  });

  it('finds an error however it was said, by address, form and attribute', async () => {
    const named = `errors${suffix}`;
    const kSpans = {
      status: { error: 'refused' }, bool: { attributes: { error: true } }, text: { attributes: { error: 'true' } },
      event: { events: [{ atUs: 10, name: 'exception', attributes: { error: true } }] },
      fine: { attributes: { error: false } }, other: { attributes: { error: 'timeout' } },
    };
    const ids = {};
    for (const [name, extra] of Object.entries(kSpans)) {
      const maker = new TraceMaker(1, freshId());
      maker.span(named, name, 2, null, 0, 1000, extra);
      await send(weft, maker);
      ids[name] = maker.traceId;
    }
    const expectFound = (page, names) => eventually(async () => {
      const found = await page.locator('tr[data-trace]').evaluateAll((rows) => rows.map((row) => row.dataset.trace));
      assert.deepEqual(found.sort(), names.map((name) => ids[name]).sort());
    });
    const kWrong = ['status', 'bool', 'text', 'event'];
    const page = await weft.open(`/search?service=${named}&lookback=1h&tags=${encodeURIComponent('{"error":"true"}')}`);
    await expectFound(page, kWrong);
    for (const [text, names] of [['error=false', ['fine', 'other']], ['error=timeout', ['other']], ['error=true', kWrong]]) {
      await page.locator('#form-tags').fill(text);
      await page.keyboard.press('Enter');
      await expectFound(page, names);
      assert.equal(await page.locator('#form-tags').inputValue(), text);
    }
    await page.goto(`${weft.url}/trace/${ids.bool}`);
    await page.locator('.tree-row', { hasText: 'bool' }).first().click();
    const link = page.locator('.span-panel .attribute', { hasText: 'error' }).locator('a.value').first();
    const asked = new URL(await link.getAttribute('href'), weft.url).searchParams.get('q');
    assert.match(asked, /^\{ \(status = error \|\| span\.error = true \|\| .*link\.error = "true"\) \}$/);
    await link.click();
    await page.waitForSelector(`tr[data-trace="${ids.status}"]`);
    assert.equal(await page.locator('#form-tags').inputValue(), 'error=true');
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  it('sorts the page by any column, and the address keeps that', async () => {
    const page = await weft.open(url(query));
    await page.waitForSelector('tr[data-trace]');
    const column = (index) => page.locator(`tr[data-trace] td:nth-child(${index})`).allInnerTexts();
    const kColumns = { Matched: 1, Started: 2, Root: 3, Duration: 4, Spans: 6, Errors: 7, Services: 8 };
    for (const label of Object.keys(kColumns)) {
      const heading = page.locator('.results th button', { hasText: label });
      await heading.click();
      await eventually(async () => assert.ok(await heading.evaluate((button) => button.parentElement.hasAttribute('aria-sort')), label));
    }
    await page.locator('.results th button', { hasText: 'Duration' }).click();
    await page.locator('.results-line', { hasText: 'longest first' }).waitFor();
    await page.waitForFunction(() => location.search.includes('sort=-duration'));
    const ms = (text) => Number(text.replace(/[^\d.]/g, '')) * (/ s$/.test(text) ? 1000 : 1);
    const falling = async () => {
      const list = (await column(4)).map(ms);
      assert.deepEqual(list, [...list].sort((a, b) => b - a));
    };
    await eventually(falling);
    await page.reload();
    await page.waitForSelector('tr[data-trace]');
    await falling();
    await page.locator('button', { hasText: 'Absolute times' }).click();
    await eventually(async () => {
      for (const text of await column(2)) assert.match(text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    });
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  it('shows services whole, the rest as a number, none with the colour of another', async () => {
    for (const width of [1400, 1250, 1600]) {
      const page = await weft.open(url(query), { viewport: { width, height: 860 } });
      await page.waitForSelector('tr[data-trace]');
      const chips = await page.locator('tr[data-trace]').first().locator('.chip').evaluateAll((list) => list.map((chip) => {
        const row = chip.closest('td').getBoundingClientRect();
        const box = chip.getBoundingClientRect();
        return { text: chip.innerText.trim(), colour: chip.querySelector('.dot')?.style.background ?? '', fits: box.right <= row.right && chip.scrollWidth <= chip.clientWidth + 1 };
      }));
      assert.ok(chips.every((chip) => chip.fits), JSON.stringify(chips));
      const named = chips.filter((chip) => chip.colour !== '');
      for (const chip of named) assert.match(chip.text, new RegExp(`${suffix} ?!?$`));
      assert.equal(new Set(named.map((chip) => chip.colour)).size, named.length);
      const more = Number(/\d+/.exec(chips.find((chip) => chip.colour === '')?.text ?? '0')[0]);
      assert.equal(named.length + more, 8);
      await page.close();
    }
  });

  it('remembers the theme', async () => {
    const page = await weft.open('/search', { colorScheme: 'light' });
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    assert.equal(await theme(), 'light');
    await page.locator('[aria-label="Dark theme"]').click();
    await eventually(async () => assert.equal(await theme(), 'dark'));
    await page.reload();
    assert.equal(await theme(), 'dark');
    await page.close();
  });
});
