// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { emptyForm, formatTags, formToQuery, parseTags, queryToForm } from './query_form';
import { tagCondition } from './tag_condition';
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
    expect(form.tags).toMatchObject([{ op: '!=' }, { op: '=' }]);
    expect(queryToForm(formToQuery(form))).toEqual(form);
  });
  it.each([
    '{ a = 1 || b = 2 }', '{ (a = 1) }', '{ a = 1 } | count() > 2', '{ a = 1 } && { b = 2 }', '{ a = 1 + 2 }', '{ !(a = 1) }', '{ a = 1 && }', '{ a', '{ a = 1',
    'a = 1',
  ])('leaves the form aside for %s', (query) => expect(queryToForm(query)).toBeNull());
});

describe('tags', () => {
  const roundTrip = (text: string) => {
    const tags = parseTags(text)!;
    const query = formToQuery({ ...emptyForm(), tags });
    expect(parseTags(formatTags(tags))).toEqual(tags);
    expect(queryToForm(query)?.tags).toEqual(tags);
    return { tags, query };
  };
  it.each([
    ['http.status_code=500', 'http.status_code', '500'],
    ['http.route=/cart', 'http.route', '/cart'],
    ['error=true', 'error', 'true'],
    ['error=false', 'error', 'false'],
    ['error=TRUE', 'error', 'TRUE'],
    ['error="not found"', 'error', 'not found'],
    ['error!=true', 'error', 'false'],
    ['error!=False', 'error', 'true'],
    ['span.kind=Client', 'span.kind', 'Client'],
    ['otel.status_code=ERROR', 'otel.status_code', 'ERROR'],
    ['event=exception', 'event', 'exception'],
    ['zip="0123"', 'zip', '0123'],
    ['n=-7.5', 'n', '-7.5'],
    ['a:b=c=d', 'a:b', 'c=d'],
    ['log.level=info', 'log.level', 'info'],
    ['k=""', 'k', ''],
    ['k="~x"', 'k', '~x'],
    ['k="[\\"a\\",7]"', 'k', '["a",7]'],
    ['"odd key"="a b"', 'odd key', 'a b'],
    ['"resource.k"=v', 'resource.k', 'v'],
    ['"name"=v', 'name', 'v'],
    ['x="C:\\\\new\\x0a"', 'x', 'C:\\new\n'],
  ])('%s has no scope: the condition of a tag', (text, key, value) => {
    const { tags, query } = roundTrip(text);
    expect(tags).toEqual([{ key, value }]);
    expect(query).toBe(`{ ${tagCondition({ key, value })} }`);
  });
  it.each([
    ['span.db.system="my sql"', '{ span.db.system = "my sql" }'],
    ['span.error=true resource.k=v', '{ span.error = true && resource.k = "v" }'],
    ['span.n=-5 .k=v', '{ span.n = -5 && .k = "v" }'],
    ['http.route=~"/c.*" retries>=2 x!=y "a b">1', '{ .http.route =~ "/c.*" && .retries >= 2 && .x != "y" && ."a b" > 1 }'],
    ['.error!=true error>2', '{ .error != true && .error > 2 }'],
    ['.resource.k>1', '{ .resource.k > 1 }'],
    ['kind=server', '{ kind = server }'],
    ['span:id="ab" rootName=error name!=500', '{ span:id = "ab" && rootName = "error" && name != "500" }'],
    ['trace:duration>2s duration<1.5s childCount>3', '{ trace:duration > 2s && duration < 1.5s && childCount > 3 }'],
  ])('%s is compared where it says', (text, query) => expect(roundTrip(text).query).toBe(query));
  it('of a typed query keep what they ask', () => {
    for (const query of ['{ .http.route = "/cart" }', '{ span."kind" = "client" && .error != true }', '{ .x > -1 }']) {
      const form = queryToForm(query)!;
      expect(formToQuery({ ...emptyForm(), tags: parseTags(formatTags(form.tags))! })).toBe(query);
    }
    const form = queryToForm('{ span.kind = "client" }')!;
    expect(parseTags(formatTags(form.tags))).toEqual([{ key: 'span."kind"', op: '=', value: '"client"' }]);
  });
  it('stand beside the fields of the form, with any blanks', () => {
    const form = { ...emptyForm(), service: 'a', status: 'error', tags: [{ key: 'error', value: 'false' }, { key: 'k', op: '>', value: '2' }, { key: 'k', value: 'v' }] };
    const query = formToQuery(form);
    expect(queryToForm(query)).toEqual(form);
    expect(queryToForm(query.replace(/ \|\| /g, '\n||  ').replace('!(', '! ( '))).toEqual(form);
    expect(queryToForm(query.replace('span.k = "v"', 'span.k = "w"'))).toBeNull();
    expect(queryToForm(query.replace('link.k = "v")', 'link.k = "v"'))).toBeNull();
  });
  it.each(['a', '=b', 'a="b', 'a b=c'])('refuses %s', (text) => expect(parseTags(text)).toBeNull());
});

describe('text', () => {
  it('quotes and unquotes', () => {
    for (const text of ['', 'a', 'a"b', 'a\\b', 'line\nbreak', '`', '\x7f\t', 'é']) expect(unquote(quote(text))).toBe(text);
    expect(unquote('`raw "text"`')).toBe('raw "text"');
    expect(unquote('"open')).toBeNull();
    expect(unquote('"\\n\\x41\\xc3\\xa9\\u00e9\\101\\d"')).toBe('\nAééAd');
    expect(quote('a\nb')).toBe('"a\\x0ab"');
  });
  it('takes a path apart', () => {
    expect(splitPath('span.http.route')).toEqual({ scope: 'span', key: 'http.route' });
    expect(splitPath('.a')).toEqual({ scope: '', key: 'a' });
    expect(splitPath('duration')).toEqual({ scope: 'intrinsic', key: 'duration' });
    for (const key of ['a$b', '-x', '5xx', 'two\nlines', 'a "b\\\\', '']) expect(splitPath(attributePath('span', key)), key).toEqual({ scope: 'span', key });
    expect(['a$b', '-x', '5xx'].map((key) => attributePath('span', key))).toEqual(['span.a$b', 'span.-x', 'span."5xx"']);
    expect(splitPath(attributePath('resource', 'odd key'))).toEqual({ scope: 'resource', key: 'odd key' });
  });
  it('tokens cover everything but blanks', () => {
    const text = '{ resource.service.name =~ "a\\"b" && (.x >= 1.5s || span."odd key"!=`q`) } | rate() $';
    const tokens = tokenize(text);
    expect(tokens.map((token) => token.text).join('')).toBe(text.replace(/ (?![k])/g, '').replace('"odd key"', '"odd key"'));
    expect(tokens.find((token) => token.text === '1.5s')?.kind).toBe('number');
  });
});
