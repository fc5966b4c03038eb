// SPDX-License-Identifier: Apache-2.0
//
// The list of calls between services: order, restriction to one service, and the search for traces in
// which both took part. Next: pages/jaeger/dependencies_page.tsx.
import type { Dependency } from '../api/types';
import { emptyForm, formToQuery } from './query_form';

export type DependencyColumn = 'parent' | 'child' | 'callCount';

// `service` "": all. Equal ones stand by name, so that the order is always the same.
export function sortDependencies(
  list: readonly Dependency[], column: DependencyColumn, down: boolean, service: string,
): Dependency[] {
  const sign = down ? -1 : 1;
  const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0);
  return list
    .filter((call) => service === '' || call.parent === service || call.child === service)
    .sort((a, b) => sign * compare(a[column], b[column]) || compare(a.parent, b.parent) || compare(a.child, b.child));
}

export function tracesOfBoth(call: Dependency): string {
  const of = (service: string) => formToQuery({ ...emptyForm(), service });
  return call.parent === call.child ? of(call.parent) : `${of(call.parent)} && ${of(call.child)}`;
}
