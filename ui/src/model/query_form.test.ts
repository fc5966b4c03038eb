// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { emptyForm, formatTags, formToQuery, parseTags, queryToForm } from './query_form';
import { attributePath, quote, splitPath, tokenize, unquote } from './traceql_text';

describe('form to query and back', () => {
  it('is empty', () => {
    expect(formToQuery(emptyForm())).toBe('{}');
    expect(queryToForm('{}')).toEqual(emptyForm());
    expect(queryToForm('  { } ')).toEqual(emptyForm());
    expect(queryToForm('')).toEqual(emptyForm());
  });
  it('writes and reads every field', () => {
    const form = {
      service: 'check "out"\\', operation: 'POST /a && b', status: 'error', spanMin: '100ms', spanMax: '2s', traceMin: '1s', traceMax: '1500ms',
      tags: [{ key: 'span.http.route', op: '=', value: '"/cart"' }, { key: '.retries', op: '>', value: '2' }],
    };
    const query = formToQuery(form);
    expect(query).toBe(
      '{ resource.service.name = "check \\"out\\"\\\\" && name = "POST /a && b" && status = error && duration >= 100ms && duration <= 2s' +
        ' && trace:duration >= 1s && trace:duration <= 1500ms && span.http.route = "/cart" && .retries > 2 }',
    );
    expect(queryToForm(query)).toEqual(form);
  });
  it('finds what the lists call unknown_service', () => {
    const form = { ...emptyForm(), service: 'unknown_service', operation: 'x' };
    const query = formToQuery(form);
    expect(query).toBe('{ (resource.service.name = "unknown_service" || !(resource.service.name != "")) && name = "x" }');
    expect(queryToForm(query)).toEqual(form);
    expect(queryToForm(formToQuery({ ...emptyForm(), service: 'unknown_service' }))!.service).toBe('unknown_service');
    // The bare comparison says less, and the form must not make more of it.
    const literal = queryToForm('{ resource.service.name = "unknown_service" }')!;
    expect(literal.service).toBe('');
    expect(formToQuery(literal)).toBe('{ resource.service.name = "unknown_service" }');
    expect(queryToForm(query.replace('{ ', '{ resource.service.name = "a" && '))).toBeNull();
  });
  it('leaves joined spansets to the line', () => {
    expect(queryToForm('{ name = "a" } && { name = "b" }')).toBeNull();
  });
  it('leaves durations out that are not finished', () => expect(formToQuery({ ...emptyForm(), spanMin: '10' })).toBe('{}'));
  it('keeps a second comparison of one field as a tag', () => {
    const form = queryToForm('{ name = "a" && name != "b" && name = "c" }')!;
    expect(form.operation).toBe('a');
    expect(form.tags.map((term) => term.op)).toEqual(['!=', '=']);
    expect(queryToForm(formToQuery(form))).toEqual(form);
  });
  it.each([
    '{ a = 1 || b = 2 }', '{ (a = 1) }', '{ a = 1 } | count() > 2', '{ a = 1 } && { b = 2 }', '{ a = 1 + 2 }', '{ !(a = 1) }', '{ a = 1 && }', '{ a', '{ a = 1',
    'a = 1',
  ])('leaves the form aside for %s', (query) => expect(queryToForm(query)).toBeNull());
});

describe('tags', () => {
  it.each([
    ['http.status_code=500 error=true', '{ .http.status_code = 500 && .error = true }'],
    ['span.db.system="my sql"', '{ span.db.system = "my sql" }'],
    ['http.route=/cart', '{ .http.route = "/cart" }'],
    ['http.route=~"/c.*" retries>=2 x!=y', '{ .http.route =~ "/c.*" && .retries >= 2 && .x != "y" }'],
    ['kind=server', '{ kind = server }'],
    ['zip="0123"', '{ .zip = "0123" }'],
  ])('%s', (text, query) => {
    const tags = parseTags(text)!;
    expect(formToQuery({ ...emptyForm(), tags })).toBe(query);
    expect(parseTags(formatTags(tags))).toEqual(tags);
  });
  it.each(['a', 'a=', '=b', 'a="b', 'a b=c'])('refuses %s', (text) => expect(parseTags(text)).toBeNull());
});

describe('text', () => {
  it('quotes and unquotes', () => {
    for (const text of ['', 'a', 'a"b', 'a\\b', 'line\nbreak', '`']) expect(unquote(quote(text))).toBe(text);
    expect(unquote('`raw "text"`')).toBe('raw "text"');
    expect(unquote('"open')).toBeNull();
  });
  it('takes a path apart', () => {
    expect(splitPath('span.http.route')).toEqual({ scope: 'span', key: 'http.route' });
    expect(splitPath('.a')).toEqual({ scope: '', key: 'a' });
    expect(splitPath('duration')).toEqual({ scope: 'intrinsic', key: 'duration' });
    expect(splitPath(attributePath('resource', 'odd key'))).toEqual({ scope: 'resource', key: 'odd key' });
  });
  it('tokens cover everything but blanks', () => {
    const text = '{ resource.service.name =~ "a\\"b" && (.x >= 1.5s || span."odd key"!=`q`) } | rate() $';
    const tokens = tokenize(text);
    expect(tokens.map((token) => token.text).join('')).toBe(text.replace(/ (?![k])/g, '').replace('"odd key"', '"odd key"'));
    expect(tokens.find((token) => token.text === '1.5s')?.kind).toBe('number');
  });
});
