// SPDX-License-Identifier: Apache-2.0
//
// The one door to the server: typed GETs of docs/api.md. A failed call throws ApiError with the
// server's own message; a call whose signal was aborted throws the browser's AbortError.
// Next: api/trace_stream.ts, api/names.ts.
import type { LogsData } from '../model/trace_logs';
import type { Dependency, FindAnswer, Operation, SearchAnswer, SpanDetails, Status, Tag } from './types';

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly line: number, // of a query's error, from 1
    readonly column: number | null,
    readonly hint: string,
    readonly retryAfterS: number,
  ) {
    super(message);
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

type Parameters = Record<string, string | number | undefined>;

// Relative to the page's <base>, as every address here.
export function apiUrl(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return `api/weft/v1${path}${text === '' ? '' : `?${text}`}`;
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const error = JSON.parse(text).error;
    if (typeof error?.message === 'string') {
      return new ApiError(
        error.message, response.status, error.code ?? '', error.line ?? 1, error.column ?? null, error.hint ?? '',
        error.retryAfterS ?? 0,
      );
    }
  } catch {
    // Not our server's answer (a proxy's page): say what it was, below.
  }
  const what = text.trim().slice(0, 200) || response.statusText;
  return new ApiError(`HTTP ${response.status}: ${what}`, response.status, '', 1, null, '', 0);
}

// Fetches and answers the response if it is a success.
export async function request(url: string, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, signal ? { signal } : {});
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError('weft does not answer: is it still running?', 0, 'unreachable', 1, null, '', 0);
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function get<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<T> {
  const response = await request(apiUrl(path, parameters), signal);
  return (await response.json()) as T;
}

export interface SearchRequest {
  q: string;
  start?: string;
  end?: string;
  limit?: number;
  spss?: number;
  cursor?: string;
}

export function fetchSearch(search: SearchRequest, signal?: AbortSignal): Promise<SearchAnswer> {
  return get('/search', { ...search }, signal);
}

export function fetchStatus(signal?: AbortSignal): Promise<Status> {
  return get('/status', {}, signal);
}

export async function fetchServices(): Promise<string[]> {
  const answer = await get<{ services: { name: string }[] }>('/services', {});
  return answer.services.map((service) => service.name);
}

export async function fetchOperations(service: string): Promise<Operation[]> {
  return (await get<{ operations: Operation[] }>('/operations', { service })).operations;
}

export async function fetchTags(): Promise<Tag[]> {
  return (await get<{ tags: Tag[] }>('/tags', {})).tags;
}

export async function fetchTagValues(scope: string, key: string, limit: number): Promise<string[]> {
  type Values = { values: { value: string }[] };
  const answer = await get<Values>('/tag-values', { scope, key, limit });
  // A text that occurs as a string and as a number is offered once.
  return [...new Set(answer.values.map((entry) => entry.value))];
}

export async function fetchSpans(
  traceId: string,
  from: number,
  count: number,
  signal?: AbortSignal,
): Promise<SpanDetails[]> {
  const path = `/trace/${traceId}/spans`;
  return (await get<{ spans: SpanDetails[] }>(path, { from, count }, signal)).spans;
}

export function fetchFind(traceId: string, text: string, signal?: AbortSignal): Promise<FindAnswer> {
  return get(`/trace/${traceId}/find`, { text }, signal);
}

// Calls between services, counted from the spans that start in the range (Jaeger's API, which counts
// in milliseconds).
export async function fetchDependencies(startMs: number, endMs: number, signal?: AbortSignal): Promise<Dependency[]> {
  const query = new URLSearchParams({ endTs: String(endMs), lookback: String(endMs - startMs) });
  const response = await request(`api/dependencies?${query}`, signal);
  const answer = (await response.json()) as { data: Dependency[] | null };
  return answer.data ?? [];
}

export async function fetchTraceLogs(traceId: string, signal?: AbortSignal): Promise<LogsData> {
  const response = await request(apiUrl(`/trace/${traceId}/otlp`, { logs: 'true' }), signal);
  return (await response.json()) as LogsData;
}

export function otlpUrl(traceId: string): string {
  return apiUrl(`/trace/${traceId}/otlp`);
}
