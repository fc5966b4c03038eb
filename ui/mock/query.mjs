// SPDX-License-Identifier: Apache-2.0
//
// Enough of TraceQL for a mock: comparisons with &&, ||, ! and parentheses, also several spansets joined by &&. Anything else is answered
// as an error with a place, which is what the page has to show. Next: mock/server.mjs.
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

const kComparison = /\s*([^\s=!<>~()"]+(?:"(?:[^"\\]|\\.)*")?)\s*(=~|!~|!=|>=|<=|=|>|<)\s*("(?:[^"\\]|\\.)*"|`[^`]*`|[^\s()&|=]+)/y;

// { all: [...] }, { any: [...] }, { not: ... } or { key, op, value }.
export function parse(text) {
  const whole = text.trim();
  if (!whole.startsWith('{')) throw new QueryError('a query starts with {', 1, 'for example { status = error }');
  if (!whole.endsWith('}')) throw new QueryError('the spanset is not closed', text.length + 1, 'add }');
  const inner = whole.slice(1, -1).trimEnd();
  let at = 0;
  const take = (pattern) => {
    pattern.lastIndex = at;
    const match = pattern.exec(inner);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  const fail = () => {
    const from = at + /^\s*/.exec(inner.slice(at))[0].length;
    throw new QueryError(`"${inner.slice(from)}" is no comparison`, text.indexOf('{') + 2 + from, 'the mock knows only comparisons, &&, ||, ! and parentheses');
  };
  const operand = () => {
    if (take(/\s*!/y)) return { not: operand() };
    if (take(/\s*\(/y)) {
      const group = joined();
      return take(/\s*\)/y) ? group : fail();
    }
    const match = take(kComparison) ?? fail();
    return { key: match[1], op: match[2], value: literal(match[3]) };
  };
  // As weft: one level for both, from the left.
  const joined = () => {
    let left = operand();
    for (let join; (join = take(/\s*(&&|\|\|)/y)) !== null; ) left = { [join[1] === '&&' ? 'all' : 'any']: [left, operand()] };
    return left;
  };
  if (inner.trim() === '') return { all: [] };
  const filter = joined();
  return at === inner.length ? filter : fail();
}

// The comparisons that stand in it.
export function comparisonsOf(filter) {
  if ('key' in filter) return [filter];
  return (filter.all ?? filter.any ?? [filter.not]).flatMap(comparisonsOf);
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
  const places = {
    span: s.attributes, resource: s.resource, instrumentation: s.scope.attributes,
    event: s.events.flatMap((event) => event.attributes), link: s.links.flatMap((link) => link.attributes),
  };
  const wanted = name.startsWith('"') ? literal(name) : name;
  return (places[scope] ?? Object.values(places).flat()).filter((kv) => kv.key === wanted).map((kv) => (kv.type === 'int' ? Number(kv.value) : kv.value));
}

// Each of `{...} && {...}` by itself; a trace must have a span for every one.
export function parseSpansets(text) {
  return text.split(/(?<=\})\s*&&\s*(?=\{)/).map(parse);
}

export function matches(item, view, filter) {
  if (filter.all !== undefined) return filter.all.every((part) => matches(item, view, part));
  if (filter.any !== undefined) return filter.any.some((part) => matches(item, view, part));
  if (filter.not !== undefined) return !matches(item, view, filter.not);
  const { key, op, value } = filter;
  return valueOf(item, view, key).some((v) => {
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
}
