// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readTagCondition, tagCondition } from './tag_condition';
import { tokenize } from './traceql_text';

// The table of the server's function: "key" "value" => CONDITION, with key and value as JSON strings.
const kTables = import.meta.glob<string>('../../../test/tags/conditions.test', { query: '?raw', import: 'default', eager: true });
const kRows = Object.values(kTables).flatMap((table) => table.split('\n')).flatMap((line) => {
  const match = /^("(?:[^"\\]|\\.)*") ("(?:[^"\\]|\\.)*") => (.*)$/.exec(line);
  return match === null ? [] : [[JSON.parse(match[1]!), JSON.parse(match[2]!), match[3]!] as [string, string, string]];
});

describe('the condition of a tag', () => {
  it('has a table', () => {
    const lines = Object.values(kTables).flatMap((table) => table.split('\n')).filter((line) => line !== '' && !line.startsWith('#'));
    expect(kRows.length).toBe(lines.length);
    expect(kRows.length).toBeGreaterThan(20);
  });
  it.each(kRows)('%j %j is written as the table says', (key, value, condition) => {
    expect(tagCondition({ key, value })).toBe(condition);
  });
  it.each(kRows)('%j %j is read back', (key, value, condition) => {
    expect(readTagCondition(tokenize(condition))).toEqual({ key, value });
  });

  const inSpan = (value: string) => tagCondition({ key: 'k', value }).split(' || resource')[0];
  it.each([
    ['9223372036854775807', '(span.k = "9223372036854775807" || span.k = 9223372036854775807'],
    ['9223372036854775808', '(span.k = "9223372036854775808" || span.k = 9223372036854775808.0'],
    ['-0', '(span.k = "-0" || span.k = -0'],
    ['0123', '(span.k = "0123" || span.k = 0123'],
    ['+1', '(span.k = "+1"'],
    ['1e', '(span.k = "1e"'],
    ['0.0e5', '(span.k = "0.0e5" || span.k = 0.0e5'],
    ['\x7f\t', '(span.k = "\\x7f\\x09"'],
    ['é', '(span.k = "é"'],
    ['[ "a\\u00e9\\n" , -1.5 ]', '(span.k = "[ \\"a\\\\u00e9\\\\n\\" , -1.5 ]" || (span.k = "aé\\x0a" && span.k = -1.5)'],
    ['["\\/"]', '(span.k = "[\\"\\\\/\\"]"'], // an escape that TraceQL does not know
    ['["\\ud800"]', '(span.k = "[\\"\\\\ud800\\"]"'],
    ['[1 2]', '(span.k = "[1 2]"'],
    ['[null]', '(span.k = "[null]"'],
    ['[,1]', '(span.k = "[,1]"'],
    ['["a', '(span.k = "[\\"a"'],
  ])('of the value %j', (value, start) => expect(inSpan(value)).toBe(start));
  it('of an array asks for its first items', () => {
    const many = `[${Array.from({ length: 70 }, (_, at) => at).join(',')}]`;
    expect(inSpan(many)!.match(/span\.k = \d+/g)).toHaveLength(64);
  });
  it.each(['Kelvin', 'nil', 'true', '3', 'duration', ''])('of a kind that is none: %j', (value) => {
    expect(tagCondition({ key: 'span.kind', value: value.replace('K', '\u212a') })).not.toContain('(kind =');
  });
  it('reads whatever key and value were', () => {
    const texts = ['', 'a', 'a"b', '\\', '\n', '`', '{', 'a = b', '} || {', 'nil', 'true', '-5', '1e+21', '["a",7]', 'link.k', 'error', 'event', 'a b', '.a', '-', 'café'];
    for (const key of texts) for (const value of texts) {
      expect(readTagCondition(tokenize(tagCondition({ key, value })))).toEqual({ key, value });
    }
  });
  it.each([
    '(span.k = "v" || resource.k = "v")', 'link.k = "v"', '(link.k = "v")', '()', '!(span.error = true)',
    tagCondition({ key: 'k', value: 'v' }).replace('event.k = "v"', 'event.k = "w"'),
    tagCondition({ key: 'k', value: 'v' }).replace('event.k =', 'event.k !='),
    `!${tagCondition({ key: 'k', value: 'v' })}`,
    tagCondition({ key: 'error', value: 'false' }).replace('event.error', 'event.errors'),
  ])('does not read %s', (text) => expect(readTagCondition(tokenize(text))).toBeNull());
});
