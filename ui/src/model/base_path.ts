// SPDX-License-Identifier: Apache-2.0
//
// The UI may lie under any prefix of a reverse proxy. The page says which one in <base href="/prefix/">;
// every address inside of the UI is written without it, and without a slash in front, so that the
// browser resolves it against that base. Next: app/router.ts.

// The path inside of the UI ("/search") of a path on the server; null where it lies outside.
export function pathUnder(basePath: string, pathname: string): string | null {
  const prefix = basePath.slice(0, basePath.lastIndexOf('/') + 1);
  if (pathname.startsWith(prefix)) return `/${pathname.slice(prefix.length)}`;
  return `${pathname}/` === prefix ? '/' : null;
}
