// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { pathUnder } from './base_path';

describe('pathUnder', () => {
  it.each([
    ['/', '/', '/'], ['/', '/search', '/search'], ['/', '/trace/ab', '/trace/ab'],
    ['/weft/', '/weft/search', '/search'], ['/weft/', '/weft/', '/'], ['/weft/', '/weft', '/'],
    ['/a/b/', '/a/b/trace/ab', '/trace/ab'], ['/weft/', '/search', null], ['/weft/', '/weftier/search', null],
    ['/weft/', '/weft/weft/search', '/weft/search'], ['/weft/index.html', '/weft/search', '/search'],
  ])('%s: %s is %s', (base, path, inside) => expect(pathUnder(base, path)).toBe(inside));
});
