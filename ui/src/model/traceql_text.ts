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

// As the server writes strings.
export function quote(text: string): string {
  const escaped = text.replace(/[\\"]/g, '\\$&').replace(/[\x00-\x1f\x7f]/g, (control) => {
    return `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}

const kLetters: Record<string, string> = {
  a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', '"': '"',
};
// Bytes, which may make characters together; code points; letters.
const kEscapes = /((?:\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2})+)|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\(.)/gs;

function bytesText(escapes: string): string {
  const bytes = escapes.slice(1).split('\\').map((one) => (one[0] === 'x' ? parseInt(one.slice(1), 16) : parseInt(one, 8)));
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

// The text of what stands between the quotes; `unknown` is called for what is no escape.
function unescape(inner: string, unknown: (letter: string) => string): string {
  return inner.replace(kEscapes, (all, bytes?: string, short?: string, long?: string, letter?: string) => {
    if (bytes !== undefined) return bytesText(bytes);
    if (letter !== undefined) return kLetters[letter] ?? unknown(letter);
    const code = parseInt(short ?? long!, 16);
    return code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? unknown(all.slice(1)) : String.fromCodePoint(code);
  });
}

// The string at the front of `text`, which starts with a double quote, as strictly as the server
// reads it; null where it is none.
export function scanString(text: string): { value: string; length: number } | null {
  const match = /^"((?:[^"\\\n]|\\.)*)"/.exec(text);
  if (match === null) return null;
  let isKnown = true;
  const value = unescape(match[1]!, () => {
    isKnown = false;
    return '';
  });
  return isKnown ? { value, length: match[0].length } : null;
}

// The text of a string literal; null when `literal` is none or does not end.
export function unquote(literal: string): string | null {
  if (/^`[^`]*`$/.test(literal)) return literal.slice(1, -1);
  if (!/^"(?:[^"\\]|\\.)*"$/s.test(literal)) return null;
  return unescape(literal.slice(1, -1), (letter) => letter);
}

// The server's rule for keys that need no quotes.
const kPlainKey = /^[A-Za-z_./:@$-][A-Za-z0-9_./:@$-]*$/;

// `span.http.route`, `resource."odd key"`, `.key` for an unknown scope.
export function attributePath(scope: string, key: string): string {
  if (scope === 'intrinsic') return key;
  return `${scope}.${kPlainKey.test(key) ? key : `"${key.replace(/[\\"]/g, '\\$&')}"`}`;
}

// The scope and key of a path; an intrinsic has scope "intrinsic".
export function splitPath(path: string): { scope: string; key: string } {
  const match = /^(span|resource|instrumentation|event|link|log|parent)?\.(.+)$/s.exec(path);
  if (match === null) return { scope: 'intrinsic', key: path };
  return { scope: match[1] ?? '', key: unquote(match[2]!) ?? match[2]! };
}
