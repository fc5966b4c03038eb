// SPDX-License-Identifier: Apache-2.0
//
// The state of the trace page in its address, relative to the page's <base>. Rows are written as differences in base 36. What has
// its default is left out. Next: pages/trace/trace_state.ts.
import type { PastedTrace } from './pasted_trace';

export type TraceView = 'waterfall' | 'table' | 'logs' | 'json';
export const kTraceViews: readonly TraceView[] = ['waterfall', 'table', 'logs', 'json'];

export interface TraceUrlState {
  view: TraceView;
  span: string; // selected span id
  from: number | null; // zoom, ns offsets
  to: number | null;
  level: number;
  toggled: number[];
  unfolded: number[];
  fold: boolean;
  find: string;
  services: string[] | null;
  errorsOnly: boolean;
  criticalOnly: boolean;
  strongPath: boolean;
  skew: boolean;
  group: string; // of the table: "", "service", "operation"
  sort: string; // of the table: "-duration"
}

export function encodeRows(rows: readonly number[]): string {
  let previous = 0;
  return [...rows]
    .sort((a, b) => a - b)
    .map((row) => {
      const text = (row - previous).toString(36);
      previous = row;
      return text;
    })
    .join('.');
}

export function decodeRows(text: string | null): number[] {
  const rows: number[] = [];
  let row = 0;
  for (const part of (text ?? '').split('.')) {
    if (!/^[0-9a-z]{1,8}$/.test(part)) continue;
    row += parseInt(part, 36);
    rows.push(row);
  }
  return rows;
}

function number(text: string | null): number | null {
  return text !== null && /^-?\d{1,18}$/.test(text) ? Number(text) : null;
}

export function readTraceUrl(parameters: URLSearchParams): TraceUrlState {
  const view = parameters.get('view') as TraceView;
  const from = number(parameters.get('from'));
  const to = number(parameters.get('to'));
  const zoomed = from !== null && to !== null && to > from;
  return {
    view: kTraceViews.includes(view) ? view : 'waterfall',
    span: parameters.get('span') ?? '',
    from: zoomed ? from : null,
    to: zoomed ? to : null,
    level: number(parameters.get('level')) ?? Infinity,
    toggled: decodeRows(parameters.get('toggled')),
    unfolded: decodeRows(parameters.get('unfolded')),
    fold: parameters.get('fold') !== '0',
    find: parameters.get('find') ?? parameters.get('uiFind') ?? '',
    services: parameters.has('services') ? parameters.getAll('services') : null,
    errorsOnly: parameters.get('errors') === '1',
    criticalOnly: parameters.get('critical') === '1',
    strongPath: parameters.get('path') === '1',
    skew: parameters.get('skew') !== '0',
    group: parameters.get('group') ?? '',
    sort: parameters.get('sort') ?? '',
  };
}

export function pastedUrl({ traceId, spanId }: PastedTrace): string {
  return traceUrl(traceId, { span: spanId });
}

export function traceUrl(traceId: string, state: Partial<TraceUrlState> = {}): string {
  const parameters = new URLSearchParams();
  if (state.view !== undefined && state.view !== 'waterfall') parameters.set('view', state.view);
  if (state.span) parameters.set('span', state.span);
  if (state.from != null && state.to != null) {
    parameters.set('from', String(Math.round(state.from)));
    parameters.set('to', String(Math.round(state.to)));
  }
  if (state.level !== undefined && Number.isFinite(state.level)) {
    parameters.set('level', String(state.level));
  }
  if (state.toggled?.length) parameters.set('toggled', encodeRows(state.toggled));
  if (state.unfolded?.length) parameters.set('unfolded', encodeRows(state.unfolded));
  if (state.fold === false) parameters.set('fold', '0');
  if (state.find) parameters.set('find', state.find);
  for (const service of state.services ?? []) parameters.append('services', service);
  if (state.services?.length === 0) parameters.append('services', '');
  if (state.errorsOnly) parameters.set('errors', '1');
  if (state.criticalOnly) parameters.set('critical', '1');
  if (state.strongPath) parameters.set('path', '1');
  if (state.skew === false) parameters.set('skew', '0');
  if (state.group) parameters.set('group', state.group);
  if (state.sort) parameters.set('sort', state.sort);
  const text = parameters.toString();
  return `trace/${traceId}${text === '' ? '' : `?${text}`}`;
}
