// SPDX-License-Identifier: Apache-2.0
//
// Attributes by key: each value can be copied, and opens the search for spans that have it.
import type { JsonValue, KeyValue } from '../../api/types';
import { searchUrl } from '../../model/search_url';
import { tagCondition } from '../../model/tag_condition';
import { attributePath, quote } from '../../model/traceql_text';
import { CopyButton } from '../../parts/copy_button';

export function valueText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function literal(attribute: KeyValue): string | null {
  switch (attribute.type) {
    case 'string':
      return quote(String(attribute.value));
    case 'bool':
    case 'int':
      return String(attribute.value);
    case 'double':
      return Number.isFinite(Number(attribute.value)) ? String(attribute.value) : null;
    default:
      return null; // no literal of TraceQL equals these
  }
}

// What finds the spans that have it; "" where nothing does. Of `error` people mean all that is one.
function queryOf(attribute: KeyValue, scope: string): string {
  const value = scope === '' ? null : literal(attribute);
  if (value === null) return '';
  const { key } = attribute;
  return `{ ${key === 'error' ? tagCondition({ key, value: valueText(attribute.value) }) : `${attributePath(scope, key)} = ${value}`} }`;
}

// `scope` is TraceQL's: span, resource, instrumentation, event, link; "" where none can be asked for.
export function AttributeList({ attributes, scope }: { attributes: readonly KeyValue[]; scope: string }) {
  const sorted = [...attributes].sort((a, b) => (a.key < b.key ? -1 : 1));
  return (
    <dl class="attributes">
      {sorted.map((attribute) => {
        const text = valueText(attribute.value);
        const query = queryOf(attribute, scope);
        return (
          <div key={attribute.key} class="attribute">
            <dt title={`${attribute.key} (${attribute.type})`}>{attribute.key}</dt>
            <dd>
              {query === ''
                ? <span class={`value v-${attribute.type}`}>{text}</span>
                : <a class={`value v-${attribute.type}`} href={searchUrl({ query })} title={`Search ${query}`}>{text}</a>}
              <CopyButton text={text} label={`Copy the value of ${attribute.key}`} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
