// SPDX-License-Identifier: Apache-2.0
//
// node embed_ui.mjs DIST OUT.cc: every file of DIST as a constant of src/api/ui_assets.h, plain and
// compressed. Run by cmake/embed_ui.cmake; needs node and nothing else.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};

function FilesUnder(root, folder = '') {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? FilesUnder(root, `${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
  );
}

// A C++ string literal of any bytes, in pieces that keep lines short. Octal escapes end after three
// digits, so no byte can run into the next.
function Literal(bytes) {
  const lines = [];
  for (let from = 0; from < bytes.length; from += 96) {
    let line = '';
    for (const byte of bytes.subarray(from, from + 96)) {
      const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && byte !== 0x3f;
      line += plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
    }
    lines.push(`    "${line}"`);
  }
  return lines.length === 0 ? '    ""' : lines.join('\n');
}

const [dist, out] = process.argv.slice(2);
const constants = [];
const rows = [];
const paths = FilesUnder(dist).sort((a, b) => (a < b ? -1 : 1));
paths.forEach((path, index) => {
  const type = kTypes[extname(path)];
  if (type === undefined) throw new Error(`${path}: no content type is known for this file`);
  const bytes = readFileSync(join(dist, path));
  const packed = gzipSync(bytes, { level: 9 });
  const gzip = packed.length < bytes.length ? packed : Buffer.alloc(0);
  const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 20);
  constants.push(`constexpr char kPlain${index}[] =\n${Literal(bytes)};`);
  constants.push(`constexpr char kGzip${index}[] =\n${Literal(gzip)};`);
  rows.push(
    `    {"${path}", "${type}", {kPlain${index}, ${bytes.length}}, {kGzip${index}, ${gzip.length}},\n` +
      `     "\\"${etag}\\"", ${path.startsWith('/assets/')}},`,
  );
});
mkdirSync(dirname(out), { recursive: true });
writeFileSync(
  out,
  `// Made by cmake/embed_ui.mjs.
#include "api/ui_assets.h"

namespace weft::api {
namespace {
${constants.join('\n')}

constexpr UiAsset kAssets[] = {
${rows.join('\n')}
};
}  // namespace

std::span<const UiAsset> UiAssets() { return kAssets; }

const UiAsset* FindUiAsset(std::string_view path) {
  for (const UiAsset& asset : kAssets) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

}  // namespace weft::api
`,
);
