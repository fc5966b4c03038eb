// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { rank, slotAt } from './completion';

// The caret is at |.
function at(line: string) {
  const caret = line.indexOf('|');
  return slotAt(line.replace('|', ''), caret);
}

describe('slotAt', () => {
  it.each([
    ['{|}', 'key', ''], ['{ |}', 'key', ''], ['{ span.ht|', 'key', 'span.ht'], ['{ a = 1 && |', 'key', ''], ['{ (st|', 'key', 'st'],
    ['{ status |', 'op', ''], ['{ status !|', 'value', ''], ['{ status =|', 'value', ''], ['{ status = |', 'value', ''], ['{ status = er|', 'value', 'er'],
    ['{ name = "PO|', 'value', 'PO'], ['{ name = "PO|"', 'value', 'PO'], ['{ a = 1 |', 'join', ''], ['{ a = "x" &|', 'join', '&'],
  ])('%s', (line, kind, prefix) => {
    const slot = at(line);
    expect(slot?.kind).toBe(kind);
    expect(slot?.prefix).toBe(prefix);
  });
  it('names the key of a value', () => {
    expect(at('{ resource.service.name = "c|')).toMatchObject({ kind: 'value', key: 'resource.service.name' });
  });
  it('is silent outside of a spanset', () => {
    expect(at('|')).toBeNull();
    expect(at('{ a = 1 }|')).toBeNull();
    expect(at('{ a = 1 } && |')).toBeNull();
  });
  it('completes in every spanset of a query', () => {
    expect(at('{ a = 1 } && ({ |')).toMatchObject({ kind: 'key', prefix: '' });
    expect(at('{ a = 1 } && { kind = s|')).toMatchObject({ kind: 'value', key: 'kind' });
  });
});

it('ranks what starts with the prefix first', () => {
  const list = ['span.http.route', 'span.route', 'name'].map((label) => ({ text: label, label, note: '' }));
  expect(rank(list, 'route').map((candidate) => candidate.label)).toEqual(['span.route', 'span.http.route']);
});
