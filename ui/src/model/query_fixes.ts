// SPDX-License-Identifier: Apache-2.0
//
// The hint of a TraceQL error as corrections to click: the query with the wrong piece replaced. Where
// a hint explains and names no replacement there is none. Next: pages/search/search_error.tsx.
import type { NameHint } from '../api/types';
import { quote, tokenize } from './traceql_text';

export interface Fix {
  label: string; // what is put in
  query: string;
}

interface Piece {
  from: number;
  to: number;
}

const kSign = /[=!<>~|&]/;
const kWordEnd = /[\s{}()=!<>~&|,"'`]/;

// Columns count characters, from 1; a query is one line or more.
function offsetOf(query: string, line: number, column: number): number {
  let start = 0;
  for (let at = 1; at < line; at++) start = query.indexOf('\n', start) + 1;
  return start + [...query.slice(start)].slice(0, column - 1).join('').length;
}

// What stands at `at`: a run of signs, a quoted text or a word.
function pieceAt(query: string, at: number): Piece {
  const first = query[at] ?? '';
  let from = at;
  let to = at;
  if (kSign.test(first)) {
    while (from > 0 && kSign.test(query[from - 1]!)) from--;
    while (to < query.length && kSign.test(query[to]!)) to++;
  } else if (`"'\``.includes(first) && first !== '') {
    const end = query.indexOf(first, at + 1);
    to = end < 0 ? query.length : end + 1;
  } else {
    while (to < query.length && !kWordEnd.test(query[to]!)) to++;
    if (to === at && first !== '') to++;
  }
  return { from, to };
}

const kOneWord = '("(?:[^"\\\\]|\\\\.)*"|[^\\s,;?]+)';
// What a hint says, and which of its words may be put in.
const kForms: readonly RegExp[] = [
  new RegExp(`did you mean ${kOneWord}(?:, or the (?:attribute|string) ${kOneWord})?\\?$`),
  new RegExp(`^write ${kOneWord}(?: for [a-z ]+)?$`),
  new RegExp(`^write (?:${kOneWord}, or ${kOneWord}|${kOneWord}, as in .+)$`),
  new RegExp(`strings stand in quotes: ${kOneWord}(?:; the attribute is ${kOneWord})?`),
  new RegExp(`attributes start with a dot or a scope: ${kOneWord}`),
  new RegExp(`or write ${kOneWord} for any$`),
];

function replacements(hint: string, written: string): string[] {
  const words = new Set<string>();
  for (const form of kForms) {
    for (const word of form.exec(hint)?.slice(1) ?? []) if (word !== undefined) words.add(word);
  }
  // `.x` stands for any attribute there, unless the query named it.
  const dotted = new RegExp(`attributes stand behind a dot: ${kOneWord}`).exec(hint)?.[1];
  if (dotted !== undefined && written.includes(':')) words.add(dotted);
  for (const word of /^an? \w+ is one of:((?: \w+)+)/.exec(hint)?.[1]?.trim().split(' ') ?? []) words.add(word);
  if (/^conditions are joined by && and \|\|/.test(hint)) words.add(' &&').add(' ||');
  if (words.size === 0 && /strings stand in/.test(hint)) words.add(quote(written.replace(/^'|'$/g, '')));
  return [...words];
}

// The piece that `word` takes the place of, which may reach further to the left than the error says.
function widened(query: string, piece: Piece, word: string): Piece {
  const before = query.slice(0, piece.from);
  const number = /(\d+(?:\.\d+)?)\s+$/.exec(before);
  if (number !== null && word.startsWith(number[1]!)) return { ...piece, from: piece.from - number[0].length };
  const sign = /[=!<>~]+\s*$/.exec(before);
  if (sign !== null && /^[=!<>~]+$/.test(word)) return { ...piece, from: piece.from - sign[0].length };
  if (word.startsWith(' ')) return { ...piece, from: before.trimEnd().length };
  return piece;
}

export function fixesFor(query: string, line: number, column: number, hint: string): Fix[] {
  if (hint === '') return [];
  const at = offsetOf(query, line, column);
  const piece = pieceAt(query, at);
  if (piece.to === piece.from) return [];
  return replacements(hint, query.slice(piece.from, piece.to)).map((word) => {
    const { from, to } = widened(query, piece, word);
    return { label: word.trim(), query: query.slice(0, from) + word + query.slice(to) };
  });
}

const kScoped = /^(?:(?:span|resource|event|link|instrumentation|parent)?\.|[a-z]+:)/;

// The query with a name that no data has replaced by the nearest that it has; null where the name
// does not stand in it as a word of its own.
export function fixName(query: string, hint: NameHint): string | null {
  if (hint.nearest === '') return null;
  const isAttribute = hint.kind === 'attribute';
  const wanted = isAttribute ? [hint.name, `.${hint.name}`] : [quote(hint.name), `\`${hint.name}\``];
  let fixed = '';
  let from = 0;
  for (const token of tokenize(query)) {
    const match = wanted.indexOf(token.text);
    if (match < 0) continue;
    const dotted = isAttribute && match === 1 && !kScoped.test(hint.nearest);
    fixed += query.slice(from, token.from) + (isAttribute ? `${dotted ? '.' : ''}${hint.nearest}` : quote(hint.nearest));
    from = token.to;
  }
  return from === 0 ? null : fixed + query.slice(from);
}
