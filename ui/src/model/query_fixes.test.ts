// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { fixesFor, fixName } from './query_fixes';

// The place of ^ is the column of the error.
const fixes = (marked: string, hint: string) => {
  const column = [...marked.slice(0, marked.indexOf('^'))].length + 1;
  return fixesFor(marked.replace('^', ''), 1, column, hint).map((fix) => fix.query);
};

describe('fixesFor', () => {
  it.each([
    ['{ ^durration > 1s }', 'did you mean duration, or the attribute .durration?', ['{ duration > 1s }', '{ .durration > 1s }']],
    ['{ status = ^eror }', 'did you mean error?', ['{ status = error }']],
    ['{ .a = ^tru }', 'did you mean true, or the string "tru"?', ['{ .a = true }', '{ .a = "tru" }']],
    ['{ ^resourc.service.name = "a" }', 'did you mean resource.service.name, or the attribute .resourc.service.name?',
      ['{ resource.service.name = "a" }', '{ .resourc.service.name = "a" }']],
    ['{ ^trace:rootServiceName = "a" }', 'did you mean trace:rootService?', ['{ trace:rootService = "a" }']],
    ['{ name = ^GET/users-all && .a = 1 }', 'strings stand in quotes: "GET/users-all"', ['{ name = "GET/users-all" && .a = 1 }']],
    ['{ .a = ^a.example.com }', 'strings stand in quotes: "a.example.com"; the attribute is .a.example.com', ['{ .a = "a.example.com" }', '{ .a = .a.example.com }']],
    ['{ name = ^\'a b\' }', 'strings stand in "double quotes"', ['{ name = "a b" }']],
    ['{ span:id = ^1234 }', 'strings stand in quotes', ['{ span:id = "1234" }']],
    ['{ ^contains = 1 }', 'attributes start with a dot or a scope: .contains; strings stand in quotes: "contains"', ['{ "contains" = 1 }', '{ .contains = 1 }']],
    ['{ ^service = "a" }', 'write resource.service.name', ['{ resource.service.name = "a" }']],
    ['{ ^rootservice = "a" }', 'write rootServiceName, or trace:rootService', ['{ rootServiceName = "a" }', '{ trace:rootService = "a" }']],
    ['{ ^latency > 1s }', 'write duration, as in duration > 100ms', ['{ duration > 1s }']],
    ['{ .a = 1 ^AND .b = 2 }', 'write &&', ['{ .a = 1 && .b = 2 }']],
    ['{ .a = 1 ^| .b = 2 }', 'write || for or', ['{ .a = 1 || .b = 2 }']],
    ['{ .a = 1^, .b = 2 }', 'conditions are joined by && and ||: .a = 1 || .a = 2', ['{ .a = 1 && .b = 2 }', '{ .a = 1 || .b = 2 }']],
    ['{ .a =^= 1 }', 'write =', ['{ .a = 1 }']],
    ['{ name ^~ "a" }', 'write =~ for a regular expression', ['{ name =~ "a" }']],
    ['{ name = ^NOT "x" }', 'write !=', ['{ name != "x" }']],
    ['{ duration > 5 ^seconds }', 'write 5s', ['{ duration > 5s }']],
    ['{ kind = ^web }', 'a kind is one of: unspecified internal server client', ['unspecified', 'internal', 'server', 'client'].map((kind) => `{ kind = ${kind} }`)],
    ['{ name = "\u{1f9f6}" && ^durration > 1s }', 'did you mean duration?', ['{ name = "\u{1f9f6}" && duration > 1s }']],
    ['{ ^span:foo = 1 }', 'attributes stand behind a dot: span.foo', ['{ span.foo = 1 }']],
    ['{ ^a.b.c = 1 }', 'scopes are span, resource, event, link, instrumentation; or write .a.b.c for any', ['{ .a.b.c = 1 }']],
  ])('%s: %s', (marked, hint, queries) => {
    const found = fixes(marked, hint);
    expect(found.sort()).toEqual([...queries].sort());
  });
  it.each([
    ['{ ^x }', ''], ['{ .a >^> 1 }', 'structural operators stand between spansets: {...} >> {...}'], ['{ ^span = 1 }', 'attributes stand behind a dot: span.x'],
    ['{ duration > ^fast }', 'durations look like 10ms, 1.5s or 1h30m'], ['{ status ^in (error) }', 'write = and !=, joined by || and &&; only strings match a pattern'],
    ['{ .v ^exists }', 'write .v != nil'], ['{ a = 1 ^', 'did you mean b?'],
  ])('%s: %s offers nothing', (marked, hint) => expect(fixes(marked, hint)).toEqual([]));
  it('finds the place on a later line', () => {
    expect(fixesFor('{ name = "a"\n&& statuss = ok }', 2, 4, 'did you mean status?').map((fix) => fix.query)).toEqual(['{ name = "a"\n&& status = ok }']);
  });
});

describe('fixName', () => {
  const hint = (kind: 'service' | 'operation' | 'attribute', name: string, nearest: string) => ({ kind, name, nearest, text: '' });
  it.each([
    ['{ resource.service.name = "chekout" && name = "chekout" }', hint('service', 'chekout', 'checkout'), '{ resource.service.name = "checkout" && name = "checkout" }'],
    ['{ name = "POST /pya" }', hint('operation', 'POST /pya', 'POST /pay'), '{ name = "POST /pay" }'],
    ['{ span.htpt.route = "/a" }', hint('attribute', 'span.htpt.route', 'span.http.route'), '{ span.http.route = "/a" }'],
    ['{ .htpt.route = "/a" || status = error }', hint('attribute', 'htpt.route', 'http.route'), '{ .http.route = "/a" || status = error }'],
    ['{ .htpt.route = "/a" }', hint('attribute', 'htpt.route', 'span.http.route'), '{ span.http.route = "/a" }'],
    ['{ .htpt.route = "/a" }', hint('attribute', '.htpt.route', '.http.route'), '{ .http.route = "/a" }'],
    ['{ name = `a"b` }', hint('operation', 'a"b', 'a"c'), '{ name = "a\\"c" }'],
  ])('%s', (query, given, fixed) => expect(fixName(query, given)).toBe(fixed));
  it('replaces nothing that it does not find', () => {
    expect(fixName('{ name =~ "chek.*" }', hint('service', 'chekout', 'checkout'))).toBeNull();
    expect(fixName('{ name = "chekout" }', hint('service', 'chekout', ''))).toBeNull();
  });
});
