// SPDX-License-Identifier: Apache-2.0
//
// jaeger-ui's search addresses, read as ours: /search?service=&operation=&tags=&start=&end=&
// minDuration=&maxDuration=&limit=&lookback=. Its times are microseconds. Next: model/search_url.ts.
import { emptyForm, formToQuery, parseTags, type Term } from './query_form';
import { readPastedTrace } from './pasted_trace';
import type { TimeRange } from './time_range';
import { attributePath, quote } from './traceql_text';
import { parseDuration } from './units';

const kForeign = ['service', 'operation', 'tags', 'tag', 'minDuration', 'maxDuration', 'lookback'];

export function isJaegerSearch(parameters: URLSearchParams): boolean {
  return kForeign.some((name) => parameters.has(name)) && !parameters.has('q');
}

function tagTerm(key: string, value: string): Term {
  if (key === 'error' && (value === 'true' || value === 'false')) {
    return { key: 'status', op: value === 'true' ? '=' : '!=', value: 'error' };
  }
  if (key === 'span.kind') return { key: 'kind', op: '=', value: value.toLowerCase() };
  const literal = /^(-?\d+(\.\d+)?|true|false)$/.test(value) ? value : quote(value);
  return { key: attributePath('', key), op: '=', value: literal };
}

// `tags` is a JSON object in jaeger-ui's own links, logfmt where people typed it; `tag` is key:value.
function tagTerms(parameters: URLSearchParams): Term[] {
  const terms: Term[] = [];
  for (const text of parameters.getAll('tags')) {
    let pairs: [string, unknown][] | null = null;
    try {
      pairs = Object.entries(JSON.parse(text) as Record<string, unknown>);
    } catch {
      terms.push(...(parseTags(text) ?? []));
    }
    for (const [key, value] of pairs ?? []) terms.push(tagTerm(key, String(value)));
  }
  for (const text of parameters.getAll('tag')) {
    const colon = text.indexOf(':');
    if (colon > 0) terms.push(tagTerm(text.slice(0, colon), text.slice(colon + 1)));
  }
  return terms;
}

// The traces of jaeger-ui's comparison: /trace/A...B, with further ones as cohort=C; also /compare and
// /compare/A...B with ids in any parameter. Null for another address.
export function comparedIds(path: string, parameters: URLSearchParams): string[] | null {
  const pair = /^\/(?:trace|compare)\/([^/]*)\.\.\.([^/]*)$/.exec(path);
  if (pair === null && path !== '/compare') return null;
  const texts = [...(pair?.slice(1) ?? []), ...[...parameters.values()].flatMap((text) => text.split(/,|\.\.\./))];
  const ids = texts.map((text) => readPastedTrace(text)?.traceId ?? '').filter((id) => id !== '');
  return [...new Set(ids)];
}

function microseconds(text: string | null): bigint | null {
  return text !== null && /^\d{1,19}$/.test(text) ? BigInt(text) * 1000n : null;
}

export interface JaegerSearch {
  query: string;
  range: TimeRange;
  limit: number | null;
}

export function readJaegerSearch(parameters: URLSearchParams): JaegerSearch {
  const form = emptyForm();
  form.service = parameters.get('service') ?? '';
  const operation = parameters.get('operation') ?? '';
  form.operation = operation === 'all' ? '' : operation;
  form.spanMin = parameters.get('minDuration') ?? '';
  form.spanMax = parameters.get('maxDuration') ?? '';
  form.tags = tagTerms(parameters);
  const status = form.tags.findIndex((term) => term.key === 'status' && term.op === '=');
  if (status >= 0) form.status = form.tags.splice(status, 1)[0]!.value;

  const start = microseconds(parameters.get('start'));
  const end = microseconds(parameters.get('end'));
  const lookback = parameters.get('lookback') ?? '';
  let range: TimeRange = { kind: 'last', text: '1h' };
  if (start !== null && end !== null && end > start) {
    range = { kind: 'fixed', startNs: start, endNs: end };
  } else if (parseDuration(lookback) !== null) {
    range = { kind: 'last', text: lookback };
  }
  const limit = Number(parameters.get('limit'));
  return { query: formToQuery(form), range, limit: Number.isInteger(limit) && limit > 0 ? limit : null };
}
