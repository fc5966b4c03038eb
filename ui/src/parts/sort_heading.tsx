// SPDX-License-Identifier: Apache-2.0
//
// The heading of a column that sorts: numbers fall first, texts rise first; a second click turns.
import type { Sort } from '../model/span_table';
import { Icon } from './icon';

export interface Heading {
  column: string; // "": does not sort
  label: string;
  number: boolean;
  falls?: boolean; // the first click sorts falling, as for numbers
  class?: string;
  title?: string;
}

export function SortHeading({ heading, sort, onSort, width }: {
  heading: Heading; sort: Sort; onSort: (sort: string) => void; // "-column": falling
  width?: number | undefined; // px; the style sheet's where missing
}) {
  const { column, label, number } = heading;
  const sorted = column !== '' && column === sort.column;
  const down = sorted ? !sort.down : (heading.falls ?? number);
  const classes = [number ? 'num' : '', heading.class ?? ''].join(' ').trim();
  return (
    <th scope="col" class={classes || undefined} style={width === undefined ? undefined : { width: `${width}px` }}
      aria-sort={sorted ? (sort.down ? 'descending' : 'ascending') : undefined}>
      {column === '' ? label : (
        <button type="button" class="sort" title={heading.title} onClick={() => onSort(down ? `-${column}` : column)}>
          {label}{sorted && <Icon name={sort.down ? 'down' : 'up'} />}
        </button>
      )}
    </th>
  );
}
