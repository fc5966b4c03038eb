// SPDX-License-Identifier: Apache-2.0
// What a person sees: opens one page of the UI in headless Chromium and prints it as JSON.
//   node browser.mjs trace URL       rows of the waterfall on screen, text, ms until they stood there
//   node browser.mjs text URL WORD   the page's text once WORD is on it
//   node browser.mjs search URL      ids and text of the result rows
import { createRequire } from 'node:module';

const { chromium } = createRequire(`${process.env.NODE_PATH}/`)('playwright-core');
const kRow = '[role=treegrid] [role=row]';

async function trace(page, url) {
  const began = performance.now();
  await page.goto(url);
  await page.waitForSelector(kRow, { timeout: 60_000 });
  const ms = performance.now() - began;
  await page.waitForFunction(() => performance.getEntriesByName('weft-trace-complete').length > 0, null, {
    timeout: 60_000,
  });
  return await page.evaluate(
    ({ row, elapsed }) => ({
      ms: elapsed,
      count: Number(document.querySelector('[role=treegrid]').getAttribute('aria-rowcount')),
      rows: [...document.querySelectorAll(row)].map((r) => r.innerText.replace(/\s+/g, ' ').trim()).filter(Boolean),
      text: document.body.innerText,
    }),
    { row: kRow, elapsed: ms },
  );
}

async function text(page, url, word) {
  await page.goto(url);
  await page.waitForFunction((w) => document.body.innerText.includes(w), word, { timeout: 30_000 });
  return { text: await page.evaluate(() => document.body.innerText) };
}

async function search(page, url) {
  await page.goto(url);
  await page.waitForSelector('tr[data-trace]', { timeout: 30_000 });
  return await page.evaluate(() => ({
    traces: [...document.querySelectorAll('tr[data-trace]')].map((r) => r.dataset.trace),
    text: document.body.innerText,
  }));
}

const [script, ...given] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  try {
    const answer = await { trace, text, search }[script](page, ...given);
    console.log(JSON.stringify({ ...answer, complaints }));
  } catch (error) {
    console.error(error.message, complaints.join('\n'), await page.evaluate(() => document.body.innerText));
    process.exitCode = 1;
  }
} finally {
  await browser.close();
}
