// SPDX-License-Identifier: Apache-2.0
//
// A tag without a scope, as the form and links name it, to the TraceQL condition that it means, and
// back. The text is the server's (src/traceql/tag_condition.h), so that one tag asks one question
// everywhere; test/tags/conditions.test has examples, which both sides' tests read.
// Next: model/query_form.ts, model/jaeger_links.ts.
import { attributePath, quote, scanString, splitPath, tokenize, type Token } from './traceql_text';

export interface Tag {
  key: string;
  value: string; // as shown: 200, true, ["a",7]
}

// Where an attribute may stand. The last one is always asked for: readTagCondition() looks there.
const kPlaces = ['span', 'resource', 'instrumentation', 'event', 'link'] as const;
const kLastPlace = 'link';

const kKindWords = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const kStatusWords = ['unset', 'ok', 'error'];

// Names of the span's own fields in Jaeger's JSON, older spellings included; a field without words
// is text.
const kProperties = new Map<string, { field: string; words?: readonly string[] }>([
  ['span.kind', { field: 'kind', words: kKindWords }],
  ['otel.status_code', { field: 'status', words: kStatusWords }],
  ['span.status', { field: 'status', words: kStatusWords }],
  ['status.code', { field: 'status', words: kStatusWords }],
  ['otel.status_description', { field: 'statusMessage' }],
  ['otel.scope.name', { field: 'instrumentation:name' }],
  ['otel.library.name', { field: 'instrumentation:name' }],
  ['scope.name', { field: 'instrumentation:name' }],
  ['otel.scope.version', { field: 'instrumentation:version' }],
  ['otel.library.version', { field: 'instrumentation:version' }],
  ['scope.version', { field: 'instrumentation:version' }],
  ['w3c.tracestate', { field: 'span:traceState' }],
  ['event', { field: 'event:name' }],
]);

// Whether the key means a field of the span, also where it looks like an attribute's path.
export function isProperty(key: string): boolean {
  return kProperties.has(key);
}

// ASCII only, as the server does it.
function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const kIntegerMin = -(2n ** 63n);
const kIntegerMax = 2n ** 63n - 1n;

// The value as a number of TraceQL, where it is one of JSON. A whole number of more than 64 bits is
// a double wherever it was stored.
function numberLiteral(text: string): string | null {
  const match = /^-?\d+(\.\d+)?(?:[eE][+-]?\d+)?$/.exec(text);
  if (match === null) return null;
  const isWhole = /^-?\d+$/.test(text);
  if (isWhole) {
    const integer = BigInt(text);
    if (integer === kIntegerMin) return 'minInt';
    if (integer > kIntegerMin && integer <= kIntegerMax) return text;
  }
  const real = Number(text);
  const isLost = real === 0 && /[1-9]/.test(text.split(/[eE]/)[0]!);
  if (!Number.isFinite(real) || isLost) return null;
  return isWhole ? `${text}.0` : text;
}

function isTruth(text: string): boolean {
  return text === 'true' || text === 'false';
}

const kItemsMax = 64;

// The items of an array of JSON as literals, where the text is one of plain values; else none.
function itemLiterals(array: string): string[] {
  if (!array.startsWith('[') || !array.endsWith(']')) return [];
  const skipBlanks = (text: string) => text.replace(/^[ \t\r\n]+/, '');
  const items: string[] = [];
  for (let text = skipBlanks(array.slice(1, -1)); text !== '' && items.length < kItemsMax; ) {
    if (text.startsWith('"')) {
      const scan = scanString(text);
      if (scan === null) return [];
      items.push(quote(scan.value));
      text = text.slice(scan.length);
    } else {
      const word = /^[^, \t\r\n]*/.exec(text)![0];
      const item = isTruth(word) ? word : numberLiteral(word);
      if (item === null) return [];
      items.push(item);
      text = text.slice(word.length);
    }
    text = skipBlanks(text);
    if (text !== '' && !text.startsWith(',')) return [];
    text = skipBlanks(text.slice(1));
  }
  return items;
}

// What asks for the attribute in one place.
function attributeConditions(place: string, key: string, value: string): string[] {
  const field = attributePath(place, key);
  const either = [`${field} = ${quote(value)}`];
  const number = numberLiteral(value);
  if (number !== null) either.push(`${field} = ${number}`);
  if (isTruth(value)) either.push(`${field} = ${value}`);
  const items = itemLiterals(value).map((item) => `${field} = ${item}`);
  if (items.length > 0) either.push(`(${items.join(' && ')})`);
  return either;
}

function everywhere(key: string, value: string): string[] {
  return kPlaces.flatMap((place) => attributeConditions(place, key, value));
}

// A field of the language; nothing where it cannot have such a value.
function propertyConditions(key: string, value: string): string[] {
  const property = kProperties.get(key);
  if (property === undefined || value === '') return [];
  const { field, words } = property;
  if (words === undefined) return [`${field} = ${quote(value)}`];
  const word = lowerCase(value);
  return words.includes(word) ? [`${field} = ${word}`] : [];
}

// `resource.K` asks for K in that place too.
function placeConditions(key: string, value: string): string[] {
  if (isProperty(key)) return [];
  return kPlaces
    .filter((place) => key.startsWith(`${place}.`) && key.length > place.length + 1)
    .flatMap((place) => attributeConditions(place, key.slice(place.length + 1), value));
}

export function anyOf(conditions: readonly string[]): string {
  return `(${conditions.join(' || ')})`;
}

const kIsError = [
  'status = error',
  ...kPlaces.flatMap((place) => [`${place}.error = true`, `${place}.error = "true"`]),
];

// A condition that may stand in `{ }` and beside && without parentheses of its own.
export function tagCondition({ key, value }: Tag): string {
  const truth = key === 'error' ? lowerCase(value) : '';
  if (truth === 'false') return `!${anyOf(kIsError)}`;
  // What is shown as TRUE is no error, and found all the same.
  if (truth === 'true') return anyOf([...kIsError, ...(value === truth ? [] : everywhere(key, value))]);
  return anyOf([...propertyConditions(key, value), ...placeConditions(key, value), ...everywhere(key, value)]);
}

// The tag whose condition these tokens are; null where they are anything else.
export function readTagCondition(tokens: readonly Token[]): Tag | null {
  const isLast = (token: Token) => token.kind === 'word' && splitPath(token.text).scope === kLastPlace;
  const last = tokens.filter(isLast).at(-1);
  if (last === undefined) return null;
  const key = splitPath(last.text).key;
  const values = tokens[0]!.text === '!' ? ['false'] : tokens.flatMap((token, at) => {
    const isValue = token.kind === 'string' && tokens[at - 1]?.text === '=' && tokens[at - 2]?.text === last.text;
    const scan = isValue ? scanString(token.text) : null;
    return scan === null ? [] : [scan.value];
  });
  const isSame = (value: string) => {
    const written = tokenize(tagCondition({ key, value }));
    return written.length === tokens.length && written.every((token, at) => token.text === tokens[at]!.text);
  };
  const value = values.find(isSame);
  return value === undefined ? null : { key, value };
}
