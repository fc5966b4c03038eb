// SPDX-License-Identifier: Apache-2.0
//
// The form and the TraceQL line say the same thing: a filled form is a query, and a query that is a
// plain conjunction of comparisons fills the form. Anything richer leaves the form aside.
// Next: model/jaeger_links.ts.
import { durationLiteral, parseDuration } from './units';
import { quote, splitPath, tokenize, unquote, type Token } from './traceql_text';

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
  tags: Term[];
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

export function formToQuery(form: QueryForm): string {
  const terms = [
    ...serviceTerm(form.service),
    ...(form.operation === '' ? [] : [`name = ${quote(form.operation)}`]),
    ...(form.status === '' ? [] : [`status = ${form.status}`]),
    ...durationTerm('duration', '>=', form.spanMin),
    ...durationTerm('duration', '<=', form.spanMax),
    ...durationTerm('trace:duration', '>=', form.traceMin),
    ...durationTerm('trace:duration', '<=', form.traceMax),
    ...form.tags.map((term) => `${term.key} ${term.op} ${term.value}`),
  ];
  return terms.length === 0 ? '{}' : `{ ${terms.join(' && ')} }`;
}

const kCompare = new Set(['=', '!=', '>', '>=', '<', '<=', '=~', '!~']);

function comparison(tokens: readonly Token[]): Term | null {
  const [key, op, value] = tokens;
  if (key?.kind !== 'word' || op === undefined || !kCompare.has(op.text)) return null;
  if (value === undefined || !['string', 'number', 'word'].includes(value.kind)) return null;
  return { key: key.text, op: op.text, value: value.text };
}

// The comparisons of `{ a = b && c > d }`; null for any other query.
function conjunction(text: string): Term[] | null {
  const tokens = tokenize(text);
  if (tokens.length === 0) return [];
  const first = tokens[0]!;
  const last = tokens[tokens.length - 1]!;
  if (first.text !== '{' || last.text !== '}') return null;
  const inner = tokens.slice(1, -1);
  if (inner.length === 0) return [];
  const terms: Term[] = [];
  for (let at = 0; ; at++) {
    const unnamed = kUnnamedTokens.every((token, i) => inner[at + i]?.text === token);
    const term = unnamed ? kUnnamed : comparison(inner.slice(at, at + 3));
    if (term === null) return null;
    terms.push(term);
    at += unnamed ? kUnnamedTokens.length : 3;
    if (at === inner.length) return terms;
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
  const terms = conjunction(query);
  if (terms === null) return null;
  const form = emptyForm();
  for (const term of terms) {
    const field = fieldOf(term);
    if (field !== null && form[field[0]] === '') {
      (form[field[0]] as string) = field[1];
    } else if (term === kUnnamed) {
      return null;
    } else {
      form.tags.push(term);
    }
  }
  return form;
}

const kIntrinsics = new Set([
  'name', 'status', 'statusMessage', 'kind', 'duration', 'rootName', 'rootServiceName',
  'traceDuration', 'childCount', 'nestedSetLeft', 'nestedSetRight', 'nestedSetParent',
]);

function literalOf(text: string, quoted: boolean, intrinsic: boolean): string {
  if (quoted) return quote(text);
  if (/^-?\d+(\.\d+)?$/.test(text) || text === 'true' || text === 'false' || text === 'nil') {
    return text;
  }
  return intrinsic && (/^[a-z]+$/.test(text) || parseDuration(text) !== null) ? text : quote(text);
}

// The tags field: `http.status_code=500 error=true span.db.system="my sql" retries>2`. A key without
// scope is looked for in all of them. Null when the text is not finished or makes no sense.
export function parseTags(text: string): Term[] | null {
  const pair = /\s*([^\s=!<>~"]+|[^\s=!<>~"]*"(?:[^"\\]|\\.)*")\s*(=~|!~|!=|>=|<=|=|>|<)\s*("(?:[^"\\]|\\.)*"|[^\s"]+)\s*/y;
  const terms: Term[] = [];
  while (pair.lastIndex < text.length) {
    if (text.slice(pair.lastIndex).trim() === '') break;
    const match = pair.exec(text);
    if (match === null) return null;
    const [, name, op, raw] = match as unknown as [string, string, string, string];
    const known = kIntrinsics.has(name) || name.includes(':') || splitPath(name).scope !== 'intrinsic';
    const key = known ? name : `.${name}`;
    const inner = unquote(raw);
    const intrinsic = splitPath(key).scope === 'intrinsic';
    terms.push({ key, op, value: literalOf(inner ?? raw, inner !== null, intrinsic) });
  }
  return terms;
}

// The same terms as text for the field.
export function formatTags(terms: readonly Term[]): string {
  return terms
    .map((term) => {
      const name = /^\.[A-Za-z_]/.test(term.key) ? term.key.slice(1) : term.key;
      const key = kIntrinsics.has(name) && name !== term.key ? term.key : name;
      const text = unquote(term.value);
      const bare = text !== null && /^[^\s"=<>~!]+$/.test(text) && literalOf(text, false, false) === quote(text);
      return `${key}${term.op}${bare ? text : term.value}`;
    })
    .join(' ');
}
