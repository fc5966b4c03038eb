// SPDX-License-Identifier: Apache-2.0
//
// jaeger-ui's search addresses, read as ours: /search?service=&operation=&tags=&start=&end=&
// minDuration=&maxDuration=&limit=&lookback=. Its times are microseconds. Next: model/search_url.ts.
import { allOf, emptyForm, formConditions, parseTags, type FormTag } from './query_form';
import { readPastedTrace } from './pasted_trace';
import { anyOf, tagCondition, type Tag } from './tag_condition';
import type { TimeRange } from './time_range';
import { parseDuration } from './units';

const kForeign = ['service', 'operation', 'tags', 'tag', 'minDuration', 'maxDuration', 'lookback'];

export function isJaegerSearch(parameters: URLSearchParams): boolean {
  return kForeign.some((name) => parameters.has(name)) && !parameters.has('q');
}

// A value as the tag's text. Whole numbers may have more digits than a number of JavaScript.
function valueText(value: unknown, written: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && /^-?\d+$/.test(String(written)) ? String(written) : JSON.stringify(value);
}

// A JSON object; null where the text is something else.
function jsonTags(text: string): Tag[] | null {
  const numbersAsText = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (one) => (one.startsWith('"') ? one : `"${one}"`));
  try {
    const tags = JSON.parse(text) as unknown;
    const written = JSON.parse(numbersAsText) as Record<string, unknown>;
    if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) return null;
    return Object.entries(tags).map(([key, value]) => ({ key, value: valueText(value, written[key]) }));
  } catch {
    return null;
  }
}

// `tags` is a JSON object in jaeger-ui's own links, logfmt where people typed it.
function tagsOf(parameters: URLSearchParams): FormTag[] {
  return parameters.getAll('tags').flatMap((text) => jsonTags(text) ?? parseTags(text) ?? []);
}

const kReadingsMax = 8;

// The tags that `key:value` can mean: any colon may be the one between, but `\:` is one of the key,
// and says where the key has its own.
export function readColonTag(text: string): Tag[] {
  const readings: Tag[] = [];
  let key = '';
  let isEscaped = false;
  for (let at = 0; at < text.length && readings.length < kReadingsMax; at++) {
    if (text.startsWith('\\:', at)) {
      key += ':';
      isEscaped = true;
      at++;
      continue;
    }
    if (text[at] === ':' && key !== '') {
      readings.push({ key, value: text.slice(at + 1) });
      if (isEscaped) break;
    }
    key += text[at];
  }
  return readings;
}

function colonConditions(parameters: URLSearchParams): string[] {
  return parameters.getAll('tag').map(readColonTag).filter((readings) => readings.length > 0)
    .map((readings) => (readings.length === 1 ? tagCondition(readings[0]!) : anyOf(readings.map(tagCondition))));
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
  form.tags = tagsOf(parameters);
  const query = allOf([...formConditions(form), ...colonConditions(parameters)]);

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
  return { query, range, limit: Number.isInteger(limit) && limit > 0 ? limit : null };
}
