// SPDX-License-Identifier: Apache-2.0
//
// Enough of TraceQL for a mock: `{ a = b && c > d }`, also several of them joined by &&. Anything else is answered as an error with a
// place, which is what the page has to show. Next: mock/server.mjs.
import { kKinds } from './store.mjs';

export class QueryError extends Error {
  constructor(message, column, hint) {
    super(message);
    this.column = column;
    this.hint = hint;
  }
}

const kUnits = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

function literal(text) {
  if (/^["`]/.test(text)) return text.slice(1, -1).replace(/\\(.)/g, '$1');
  const duration = /^([\d.]+)(ns|us|ms|s|m|h)$/.exec(text);
  if (duration) return Number(duration[1]) * kUnits[duration[2]];
  if (/^-?[\d.]+$/.test(text)) return Number(text);
  return text === 'true' ? true : text === 'false' ? false : text;
}

export function parse(text) {
  const whole = text.trim();
  if (!whole.startsWith('{')) throw new QueryError('a query starts with {', 1, 'for example { status = error }');
  if (!whole.endsWith('}')) throw new QueryError('the spanset is not closed', text.length + 1, 'add }');
  const inner = whole.slice(1, -1).trim();
  if (inner === '') return [];
  return inner.split('&&').map((part) => {
    const match = /^\s*([^\s=!<>~]+)\s*(=~|!~|!=|>=|<=|=|>|<)\s*("(?:[^"\\]|\\.)*"|`[^`]*`|[^\s]+)\s*$/.exec(part);
    if (!match) throw new QueryError(`"${part.trim()}" is no comparison`, text.indexOf(part.trim()) + 1, 'the mock knows only && of comparisons');
    return { key: match[1], op: match[2], value: literal(match[3]) };
  });
}

function valueOf(item, view, key) {
  const s = item.span;
  switch (key) {
    case 'name': case 'span:name': return [s.name];
    case 'status': return [['unset', 'ok', 'error'][s.status]];
    case 'kind': return [kKinds[s.kind]];
    case 'duration': return [item.duration];
    case 'trace:duration': case 'traceDuration': return [Number(BigInt(view.header.endNs) - BigInt(view.header.startNs))];
    case 'trace:rootName': return [view.header.rootName];
    case 'trace:rootService': return [view.header.rootService];
  }
  const [, scope, name] = /^(span|resource|instrumentation|event|link)?\.(.*)$/.exec(key) ?? [null, '', key];
  const lists = scope === 'resource' ? [s.resource] : scope === 'span' ? [s.attributes] : [s.attributes, s.resource];
  return lists.flat().filter((kv) => kv.key === name).map((kv) => (kv.type === 'int' ? Number(kv.value) : kv.value));
}

// Each of `{...} && {...}` by itself; a trace must have a span for every one.
export function parseSpansets(text) {
  return text.split(/(?<=\})\s*&&\s*(?=\{)/).map(parse);
}

export function matches(item, view, terms) {
  return terms.every(({ key, op, value }) => {
    const values = valueOf(item, view, key);
    return values.some((v) => {
      switch (op) {
        case '=': return v === value;
        case '!=': return v !== value;
        case '>': return v > value;
        case '>=': return v >= value;
        case '<': return v < value;
        case '<=': return v <= value;
        case '=~': return new RegExp(`^(?:${value})$`).test(String(v));
        default: return !new RegExp(`^(?:${value})$`).test(String(v));
      }
    });
  });
}
