// SPDX-License-Identifier: Apache-2.0
//
// TraceQL as text on screen: tokens for colours, completion and the form. It judges nothing (the
// server does) and never fails: what it does not know is a token of kind "other".
// Next: model/query_form.ts, model/completion.ts.

export type TokenKind = 'brace' | 'paren' | 'join' | 'op' | 'string' | 'number' | 'word' | 'other';

export interface Token {
  kind: TokenKind;
  text: string;
  from: number;
  to: number; // exclusive
}

const kPatterns: readonly [TokenKind, RegExp][] = [
  ['string', /"(?:[^"\\]|\\.)*"?|`[^`]*`?/y],
  ['brace', /[{}]/y],
  ['paren', /[()]/y],
  ['join', /&&|\|\|/y],
  ['op', /!=|=~|!~|>=|<=|>>|<<|[=<>!~|,+*/%^-]/y],
  ['number', /\d+(?:\.\d+)?(?:[a-zµμ]+(?:\d+(?:\.\d+)?[a-zµμ]+)*)?/y],
  // A path: quoted parts may hold anything, other parts end where an operator starts.
  ['word', /(?:[A-Za-z_.]|"(?:[^"\\]|\\.)*")(?:[^\s{}()=~!<>&|^,"]|"(?:[^"\\]|\\.)*")*/y],
  ['other', /[^\s]/y],
];

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++;
      continue;
    }
    for (const [kind, pattern] of kPatterns) {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (match === null) continue;
      tokens.push({ kind, text: match[0], from: at, to: at + match[0].length });
      at += match[0].length;
      break;
    }
  }
  return tokens;
}

export function quote(text: string): string {
  const escaped = text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t');
  return `"${escaped}"`;
}

const kEscapes: Record<string, string> = { n: '\n', t: '\t', r: '\r' };

// The text of a string literal; null when `literal` is none or does not end.
export function unquote(literal: string): string | null {
  if (/^`[^`]*`$/.test(literal)) return literal.slice(1, -1);
  if (!/^"(?:[^"\\]|\\.)*"$/s.test(literal)) return null;
  return literal.slice(1, -1).replace(/\\(.)/gs, (_, escape: string) => kEscapes[escape] ?? escape);
}

const kPlainKey = /^[A-Za-z_][A-Za-z0-9_.\-:/@]*$/;

// `span.http.route`, `resource."odd key"`, `.key` for an unknown scope.
export function attributePath(scope: string, key: string): string {
  if (scope === 'intrinsic') return key;
  return `${scope}.${kPlainKey.test(key) ? key : quote(key)}`;
}

// The scope and key of a path; an intrinsic has scope "intrinsic".
export function splitPath(path: string): { scope: string; key: string } {
  const match = /^(span|resource|instrumentation|event|link|log|parent)?\.(.+)$/s.exec(path);
  if (match === null) return { scope: 'intrinsic', key: path };
  return { scope: match[1] ?? '', key: unquote(match[2]!) ?? match[2]! };
}
