// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { durationComplaint, tagsComplaint } from './form_complaints';
import { emptyForm, formToQuery, parseTags } from './query_form';
import { tagCondition } from './tag_condition';

describe('durationComplaint', () => {
  it.each(['', '  ', '100ms', '1.5s', '1m30s', '2 h', '0s'])('takes "%s"', (text) => expect(durationComplaint(text)).toBe(''));
  it.each([
    ['100', '\u201c100\u201d has no unit: for example 100ms, 1.5s'],
    [' 0 ', '\u201c0\u201d has no unit: for example 100ms, 1.5s'],
    ['abc', '\u201cabc\u201d is no duration: for example 100ms, 1.5s'],
    ['-1s', '\u201c-1s\u201d is no duration: for example 100ms, 1.5s'],
    ['1 parsec', '\u201c1 parsec\u201d is no duration: for example 100ms, 1.5s'],
  ])('"%s"', (text, said) => expect(durationComplaint(text)).toBe(said));
});

describe('tagsComplaint', () => {
  it.each(['', ' ', 'a=b', 'k=', 'k!=', 'k= a=b', 'k = v', 'a=1 b="two words" c>3', 'a=~"x.*"'])('takes "%s"', (text) => expect(tagsComplaint(text)).toBe(''));
  it.each([
    ['foo bar', '\u201cfoo\u201d'], ['error', '\u201cerror\u201d'], ['a=b error', '\u201cerror\u201d'], ['k>', '\u201ck>\u201d'], ['k=~', '\u201ck=~\u201d'],
      ['=v', '\u201c=v\u201d'], ['a="b', 'A quote'], ['a=b k!~', '\u201ck!~\u201d'],
  ])('"%s"', (text, said) => {
    expect(tagsComplaint(text)).toContain(said);
    expect(tagsComplaint(text)).toContain('key=value');
  });
});

describe('an empty value', () => {
  const is = (key: string, value: string) => tagCondition({ key, value });
  it.each([
    ['k=', is('k', '')], ['k=""', is('k', '')], ['k= a>2', `${is('k', '')} && .a > 2`], ['a>2 k=', `.a > 2 && ${is('k', '')}`], ['k!=', '.k != ""'],
    ['span.k= span.a=b', 'span.k = "" && span.a = "b"'], ['k = v', is('k', 'v')], ['k= v', is('k', 'v')], ['k = a=b', is('k', 'a=b')],
  ])('"%s"', (text, condition) => expect(formToQuery({ ...emptyForm(), tags: parseTags(text)! })).toBe(`{ ${condition} }`));
});
