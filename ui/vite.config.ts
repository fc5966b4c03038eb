// SPDX-License-Identifier: Apache-2.0
//
// The build: hashed files only, nothing inlined (the server sends `default-src 'self'`). In
// development `npm run dev` hands /api to WEFT_UI_API (the mock's port unless set).
import { defineConfig } from 'vitest/config';

export default defineConfig({
  base: './', // index.html says in <base> where the UI lies
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  test: { dir: 'src', css: true },
  server: {
    fs: { allow: ['..'] }, // a test reads docs/palette.md
    proxy: { '/api': process.env.WEFT_UI_API ?? 'http://127.0.0.1:16699' },
  },
});
