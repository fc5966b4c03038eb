// SPDX-License-Identifier: Apache-2.0
//
// Names for completion: services, operations, tags and their values, each asked at most once in
// half a minute. Next: pages/search/query_line.tsx.
import { fetchOperations, fetchServices, fetchTags, fetchTagValues } from './client';
import type { Operation, Tag } from './types';

const kFreshMs = 30_000;
const kValues = 100;
const kept = new Map<string, { at: number; answer: Promise<unknown> }>();

function fresh<T>(key: string, ask: () => Promise<T>): Promise<T> {
  const old = kept.get(key);
  if (old !== undefined && performance.now() - old.at < kFreshMs) return old.answer as Promise<T>;
  const answer = ask();
  kept.set(key, { at: performance.now(), answer });
  answer.catch(() => kept.delete(key));
  return answer;
}

export function serviceNames(): Promise<string[]> {
  return fresh('services', fetchServices);
}
export function operationNames(service: string): Promise<Operation[]> {
  return fresh(`operations ${service}`, () => fetchOperations(service));
}
export function tagNames(): Promise<Tag[]> {
  return fresh('tags', fetchTags);
}
export function tagValues(scope: string, key: string): Promise<string[]> {
  return fresh(`values ${scope} ${key}`, () => fetchTagValues(scope, key, kValues));
}
// After new data may have come.
export function forgetNames(): void {
  kept.clear();
}
