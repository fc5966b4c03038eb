// SPDX-License-Identifier: Apache-2.0
//
// The form and the TraceQL line say the same thing: a filled form is a query, and a query that is a
// plain conjunction of comparisons fills the form. Anything richer leaves the form aside.
// Next: model/tag_condition.ts, model/jaeger_links.ts.
import { durationLiteral, parseDuration } from './units';
import { isProperty, readTagCondition, tagCondition, type Tag } from './tag_condition';
import { attributePath, quote, tokenize, unquote, type Token } from './traceql_text';

export interface Term {
  key: string; // as in TraceQL: "span.http.route", "kind"
  op: string;
  value: string; // a TraceQL literal: "\"/cart\"", "500", "true"
}

export interface QueryForm {
  service: string;
  operation: string;
  status: string; // "", "error", "ok", "unset"
  spanMin: string; // durations as typed: "100ms"
  spanMax: string;
  traceMin: string;
  traceMax: string;
  tags: FormTag[];
}

// A comparison as TraceQL says it, or a tag without a scope.
export type FormTag = Term | Tag;

function isTerm(tag: FormTag): tag is Term {
  return 'op' in tag;
}

export function emptyForm(): QueryForm {
  return {
    service: '', operation: '', status: '', spanMin: '', spanMax: '', traceMin: '', traceMax: '',
    tags: [],
  };
}

// The server's lists call so what has no service.name, an empty one or one that is no text. TraceQL
// knows only the attribute.
export const kUnknownService = 'unknown_service';
const kUnnamedCondition = `(resource.service.name = "${kUnknownService}" || !(resource.service.name != ""))`;
const kUnnamedTokens = tokenize(kUnnamedCondition).map((token) => token.text);
const kUnnamed: Term = { key: kUnnamedCondition, op: '', value: '' };

function serviceTerm(service: string): string[] {
  if (service === '') return [];
  return [service === kUnknownService ? kUnnamedCondition : `resource.service.name = ${quote(service)}`];
}

function durationTerm(key: string, op: string, text: string): string[] {
  const ns = parseDuration(text);
  return ns === null ? [] : [`${key} ${op} ${durationLiteral(ns)}`];
}

export function formConditions(form: QueryForm): string[] {
  return [
    ...serviceTerm(form.service),
    ...(form.operation === '' ? [] : [`name = ${quote(form.operation)}`]),
    ...(form.status === '' ? [] : [`status = ${form.status}`]),
    ...durationTerm('duration', '>=', form.spanMin),
    ...durationTerm('duration', '<=', form.spanMax),
    ...durationTerm('trace:duration', '>=', form.traceMin),
    ...durationTerm('trace:duration', '<=', form.traceMax),
    ...form.tags.map((tag) => (isTerm(tag) ? `${tag.key} ${tag.op} ${tag.value}` : tagCondition(tag))),
  ];
}

export function allOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? '{}' : `{ ${conditions.join(' && ')} }`;
}

export function formToQuery(form: QueryForm): string {
  return allOf(formConditions(form));
}

const kCompare = new Set(['=', '!=', '>', '>=', '<', '<=', '=~', '!~']);

// A tag and how many tokens say it.
interface Reading {
  tag: FormTag;
  count: number;
}

function readComparison(tokens: readonly Token[]): Reading | null {
  const [key, op, first, second] = tokens;
  if (key?.kind !== 'word' || op === undefined || !kCompare.has(op.text) || first === undefined) return null;
  const term = { key: key.text, op: op.text };
  if (first.text === '-' && second?.kind === 'number' && second.from === first.to) {
    return { tag: { ...term, value: `-${second.text}` }, count: 4 };
  }
  if (!['string', 'number', 'word'].includes(first.kind)) return null;
  return { tag: { ...term, value: first.text }, count: 3 };
}

// How many tokens the group in parentheses at the front has, with the `!` before it; 0: there is none.
function groupLength(tokens: readonly Token[]): number {
  const start = tokens[0]?.text === '!' ? 1 : 0;
  if (tokens[start]?.text !== '(') return 0;
  let depth = 0;
  for (let at = start; at < tokens.length; at++) {
    if (tokens[at]!.text === '(') depth++;
    if (tokens[at]!.text === ')' && --depth === 0) return at + 1;
  }
  return 0;
}

function readTag(tokens: readonly Token[]): Reading | null {
  const count = groupLength(tokens);
  if (count === 0) return readComparison(tokens);
  const isUnnamed = count === kUnnamedTokens.length && kUnnamedTokens.every((text, at) => tokens[at]!.text === text);
  const tag = isUnnamed ? kUnnamed : readTagCondition(tokens.slice(0, count));
  return tag === null ? null : { tag, count };
}

// The comparisons and tags of `{ a = b && c > d }`; null for any other query.
function conjunction(text: string): FormTag[] | null {
  const tokens = tokenize(text);
  if (tokens.length === 0) return [];
  const first = tokens[0]!;
  const last = tokens[tokens.length - 1]!;
  if (first.text !== '{' || last.text !== '}') return null;
  const inner = tokens.slice(1, -1);
  if (inner.length === 0) return [];
  const tags: FormTag[] = [];
  for (let at = 0; ; at++) {
    const reading = readTag(inner.slice(at));
    if (reading === null) return null;
    tags.push(reading.tag);
    at += reading.count;
    if (at === inner.length) return tags;
    if (inner[at]?.text !== '&&') return null;
  }
}

// Where a comparison has a field of its own: its name, and the text that goes in.
function fieldOf(term: Term): [keyof QueryForm, string] | null {
  if (term === kUnnamed) return ['service', kUnknownService];
  const text = unquote(term.value);
  const isDuration = text === null && parseDuration(term.value) !== null;
  switch (`${term.key} ${term.op}`) {
    case 'resource.service.name =':
    case '.service.name =':
      return text === null || text === kUnknownService ? null : ['service', text];
    case 'name =':
    case 'span:name =':
      return text === null ? null : ['operation', text];
    case 'status =':
    case 'span:status =':
      return ['error', 'ok', 'unset'].includes(term.value) ? ['status', term.value] : null;
    case 'duration >=':
    case 'span:duration >=':
      return isDuration ? ['spanMin', term.value] : null;
    case 'duration <=':
    case 'span:duration <=':
      return isDuration ? ['spanMax', term.value] : null;
    case 'trace:duration >=':
    case 'traceDuration >=':
      return isDuration ? ['traceMin', term.value] : null;
    case 'trace:duration <=':
    case 'traceDuration <=':
      return isDuration ? ['traceMax', term.value] : null;
    default:
      return null;
  }
}

// The form of a query; null where the query says more than the form can.
export function queryToForm(query: string): QueryForm | null {
  const tags = conjunction(query);
  if (tags === null) return null;
  const form = emptyForm();
  for (const tag of tags) {
    const field = isTerm(tag) ? fieldOf(tag) : null;
    if (field !== null && form[field[0]] === '') {
      (form[field[0]] as string) = field[1];
    } else if (tag === kUnnamed) {
      return null;
    } else {
      form.tags.push(tag);
    }
  }
  return form;
}

const kIntrinsics = new Set([
  'name', 'status', 'statusMessage', 'kind', 'duration', 'rootName', 'rootServiceName',
  'traceDuration', 'childCount', 'nestedSetLeft', 'nestedSetRight', 'nestedSetParent',
  'span:duration', 'span:name', 'span:status', 'span:statusMessage', 'span:kind', 'span:id', 'span:parentID',
  'span:childCount', 'span:traceState', 'trace:duration', 'trace:rootName', 'trace:rootService', 'trace:id',
  'event:name', 'event:timeSinceStart', 'link:traceID', 'link:spanID', 'instrumentation:name', 'instrumentation:version',
]);

// Whether a name in the tags field is a field of TraceQL; any other one is a tag's key.
function isPath(name: string): boolean {
  return kIntrinsics.has(name) || (/^(span|resource|instrumentation|event|link|parent)?\../.test(name) && !isProperty(name));
}

const kWordField = /^(span:)?(kind|status)$/;
const kNumberField = /duration$|Duration$|timeSinceStart$|childCount$|^nestedSet/;

// What is typed without quotes is what the key's values are; of attributes it may be anything.
function literalOf(key: string, text: string, quoted: boolean): string {
  if (quoted) return quote(text);
  const isNumber = /^-?\d+(\.\d+)?$/.test(text);
  const isPlain = !kIntrinsics.has(key) ? isNumber || text === 'true' || text === 'false'
    : kWordField.test(key) ? /^[a-z]+$/.test(text)
    : kNumberField.test(key) && (isNumber || parseDuration(text) !== null);
  return isPlain || text === 'nil' ? text : quote(text);
}

// What a name in the tags field says outside of its quoted parts is as typed.
function keyOf(name: string): string {
  return name.replace(/"(?:[^"\\]|\\.)*"/g, (part) => unquote(part)!);
}

function readPair(name: string, op: string, raw: string): FormTag {
  const inner = unquote(raw);
  const text = inner ?? raw;
  const isKnown = isPath(name);
  if (!isKnown && op === '=') return { key: keyOf(name), value: text };
  // The opposite of an error is one question too.
  if (name === 'error' && op === '!=' && /^(true|false)$/i.test(text)) {
    return { key: name, value: /^true$/i.test(text) ? 'false' : 'true' };
  }
  const key = isKnown ? name : attributePath('', keyOf(name));
  return { key, op, value: literalOf(key, text, inner !== null) };
}

// The tags field: `http.status_code=500 error=true span.db.system="my sql" retries>2`. A key without
// scope is looked for in all of them. Null when the text is not finished or makes no sense.
export function parseTags(text: string): FormTag[] | null {
  const pair = /\s*([^\s=!<>~"]+|[^\s=!<>~"]*"(?:[^"\\]|\\.)*")(?:(!?=)(?=\s*$|\s+[^\s=!<>~"]+[=!<>])|\s*(=~|!~|!=|>=|<=|=(?!~)|>(?!=)|<(?!=))\s*("(?:[^"\\]|\\.)*"|[^\s"]+))\s*/y;
  const tags: FormTag[] = [];
  while (pair.lastIndex < text.length) {
    if (text.slice(pair.lastIndex).trim() === '') break;
    const match = pair.exec(text);
    if (match === null) return null;
    const name = match[1]!;
    const [op, raw] = match[2] !== undefined ? [match[2], ''] : [match[3]!, match[4]!]; // `k=`: an empty value
    tags.push(readPair(name, op, raw));
  }
  return tags;
}

function formatTag({ key, value }: Tag): string {
  const isBare = /^[^\s=!<>~"]+$/.test(key) && !isPath(key);
  return `${isBare ? key : quote(key)}=${/^[^\s"~][^\s"]*$/.test(value) ? value : quote(value)}`;
}

function formatTerm({ key, op, value }: Term): string {
  const name = key.slice(1);
  const isAsked = op === '=' || name === 'error'; // without the dot these would be a tag's condition
  const isTagKey = key.startsWith('.') && !isAsked && /^[^\s=!<>~".][^\s=!<>~"]*$/.test(name) && !isPath(name);
  // `span.kind=x` would be Jaeger's tag, and not the attribute `kind`.
  const path = isProperty(key) ? key.replace(/\.(.*)/, (_, rest: string) => `.${quote(rest)}`) : key;
  const text = unquote(value);
  const isBare = text !== null && /^[^\s"=<>~!]+$/.test(text) && literalOf(key, text, false) === quote(text);
  return `${isTagKey ? name : path}${op}${isBare ? text : value}`;
}

// The same tags as text for the field.
export function formatTags(tags: readonly FormTag[]): string {
  return tags.map((tag) => (isTerm(tag) ? formatTerm(tag) : formatTag(tag))).join(' ');
}
