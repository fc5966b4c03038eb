// SPDX-License-Identifier: Apache-2.0
//
// What the person at the caret of a TraceQL line is about to type: a key, an operator, a value or a
// join. Pure; the page fetches the candidates. Next: pages/search/query_line.tsx.
import { splitPath, tokenize, unquote, type Token } from './traceql_text';

export type Slot =
  | { kind: 'key'; prefix: string; from: number; to: number }
  | { kind: 'op'; prefix: string; from: number; to: number; key: string }
  | { kind: 'value'; prefix: string; from: number; to: number; key: string }
  | { kind: 'join'; prefix: string; from: number; to: number };

export interface Candidate {
  text: string; // what is inserted
  label: string; // what is shown
  note: string; // small print: scope, kind
}

export const kKeywordKeys: readonly [key: string, note: string][] = [
  ['name', 'span name'],
  ['status', 'error, ok, unset'],
  ['statusMessage', 'text of the status'],
  ['kind', 'server, client, ...'],
  ['duration', 'of the span'],
  ['resource.service.name', 'service'],
  ['trace:duration', 'of the whole trace'],
  ['trace:rootName', 'name of the root span'],
  ['trace:rootService', 'service of the root span'],
  ['trace:id', 'trace id'],
  ['span:id', 'span id'],
  ['span:childCount', 'direct children'],
  ['event:name', 'name of an event'],
  ['instrumentation:name', 'library'],
];

const kKeywordValues: Record<string, readonly string[]> = {
  status: ['error', 'ok', 'unset'],
  'span:status': ['error', 'ok', 'unset'],
  kind: ['server', 'client', 'internal', 'producer', 'consumer', 'unspecified'],
  'span:kind': ['server', 'client', 'internal', 'producer', 'consumer', 'unspecified'],
  duration: ['10ms', '100ms', '500ms', '1s', '5s'],
  'span:duration': ['10ms', '100ms', '500ms', '1s', '5s'],
  'trace:duration': ['100ms', '500ms', '1s', '5s', '30s'],
  traceDuration: ['100ms', '500ms', '1s', '5s', '30s'],
};

export function keywordValues(key: string): readonly string[] | null {
  return kKeywordValues[key] ?? null;
}

const kCompare = /^(=|!=|>|>=|<|<=|=~|!~|!)$/;

// The slot at `caret`; null outside of any spanset or behind what cannot be completed.
export function slotAt(text: string, caret: number): Slot | null {
  const tokens = tokenize(text);
  const before = tokens.filter((token) => token.from < caret);
  const last = before[before.length - 1];
  const open = before.filter((token) => token.text === '{').length;
  const closed = before.filter((token) => token.text === '}' && token.to <= caret).length;
  if (last === undefined || open <= closed) return null;
  const touching = last.to >= caret && !['brace', 'paren', 'join'].includes(last.kind);
  const current: Token | null = touching ? last : null;
  const from = current?.from ?? caret;
  const to = current === null ? caret : Math.max(current.to, caret);
  const prefix = text.slice(from, caret);
  const previous = before[before.length - (current === null ? 1 : 2)];
  const beforePrevious = before[before.length - (current === null ? 2 : 3)];
  if (previous === undefined) return null;
  if (current?.kind === 'op' && kCompare.test(current.text) && previous.kind === 'word') {
    // Right behind an operator the value starts.
    return { kind: 'value', prefix: '', from: caret, to: caret, key: previous.text };
  }
  if (['brace', 'paren', 'join'].includes(previous.kind) && previous.text !== ')') {
    return { kind: 'key', prefix, from, to };
  }
  if (previous.kind === 'op' && beforePrevious?.kind === 'word') {
    return { kind: 'value', prefix: unquoteLoose(prefix), from, to, key: beforePrevious.text };
  }
  if (previous.kind === 'word' && !(beforePrevious?.kind === 'op')) {
    return { kind: 'op', prefix, from, to, key: previous.text };
  }
  return { kind: 'join', prefix, from, to };
}

// The text so far of a string that may not be closed yet.
function unquoteLoose(text: string): string {
  if (!/^["`]/.test(text)) return text;
  return unquote(text) ?? unquote(text + text[0]!) ?? text.slice(1);
}

export const kOperators: readonly [op: string, note: string][] = [
  ['=', 'equal'], ['!=', 'not equal'], ['=~', 'matches regex'], ['!~', 'does not match'],
  ['>', 'greater'], ['>=', 'at least'], ['<', 'less'], ['<=', 'at most'],
];

// Candidates that contain the prefix, those that start with it first; order is kept otherwise.
export function rank(candidates: readonly Candidate[], prefix: string): Candidate[] {
  const wanted = prefix.toLowerCase();
  const starts: Candidate[] = [];
  const contains: Candidate[] = [];
  for (const candidate of candidates) {
    const label = candidate.label.toLowerCase();
    const key = splitPath(candidate.label).key.toLowerCase();
    if (label.startsWith(wanted) || key.startsWith(wanted)) starts.push(candidate);
    else if (label.includes(wanted)) contains.push(candidate);
  }
  return [...starts, ...contains];
}
