// SPDX-License-Identifier: Apache-2.0
//
// A server without data says how to send a first span, and shows it when it comes. Alone in its file:
// the server under test must be empty when it starts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, isMock, ownCheckout, send, useWeft } from './weft.mjs';

const kRestsMs = 6000; // the page looks again every 2 s

describe('an empty server', () => {
  const bare = useWeft();
  it('says how to send data, keeps the chosen way, and shows the data when it comes', async (test) => {
    const status = await (await fetch(`${bare.url}/api/weft/v1/status`)).json();
    if (status.dataRange !== null) return test.skip('the server under test has data');
    const page = await bare.open('/search');
    await page.locator('text=No data yet').waitFor();
    const http = isMock ? '5318' : new URL(bare.otlp).port;
    assert.match(await page.locator('.recipe').innerText(), new RegExp(`OTEL_EXPORTER_OTLP_ENDPOINT=http://127\\.0\\.0\\.1:${http}`));
    await page.locator('button', { hasText: 'Zipkin, Jaeger' }).click();
    await eventually(async () => assert.match(await page.locator('.recipe').innerText(), /zipkin:/));
    await page.locator('button', { hasText: 'Collector' }).click();
    const chosen = async () => {
      assert.equal(await page.locator('.state-box button[aria-pressed="true"]').innerText(), 'Collector');
      assert.match(await page.locator('.recipe').innerText(), /endpoint: 127\.0\.0\.1:\d+/);
    };
    await eventually(chosen);
    const panel = await page.locator('.recipe').elementHandle();
    let looks = 0;
    page.on('response', (response) => { if (response.url().includes('/search?')) looks++; });
    const until = Date.now() + kRestsMs;
    while (looks < 2 || Date.now() < until) {
      await chosen();
      assert.ok(Date.now() < until + 20_000, 'the page looks again by itself');
      await new Promise((resume) => setTimeout(resume, 50));
    }
    assert.ok(await panel.evaluate((element) => element.isConnected), 'the panel stays the same one');
    await send(bare, ownCheckout('', 3));
    await page.waitForSelector('tr[data-trace]');
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
});
