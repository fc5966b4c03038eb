// SPDX-License-Identifier: Apache-2.0
//
// A headless Chromium for the end-to-end tests and the pictures. WEFT_CHROMIUM names another binary.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const kPlaces = [process.env.WEFT_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export function chromiumPath() {
  const path = kPlaces.find((place) => place && existsSync(place));
  if (path === undefined) throw new Error('no Chromium found: set WEFT_CHROMIUM');
  return path;
}

export function launch() {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
}
