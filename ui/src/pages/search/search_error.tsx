// SPDX-License-Identifier: Apache-2.0
//
// A search that failed: the server's message, and what its hint suggests as buttons that apply it.
// Names that no data has are said the same way. Next: model/query_fixes.ts.
import { ApiError } from '../../api/client';
import type { NameHint } from '../../api/types';
import { fixesFor, fixName, type Fix } from '../../model/query_fixes';
import { Failed, Notice } from '../../parts/page_states';

export function SearchError({ query, error, onQuery, onAgain }: {
  query: string; error: Error; onQuery: (query: string) => void; onAgain: () => void;
}) {
  const fixes: Fix[] = error instanceof ApiError && error.column !== null ? fixesFor(query, error.line, error.column, error.hint) : [];
  return (
    <Failed title="The search failed" error={error} retry={onAgain}>
      {fixes.map((fix) => (
        <button key={fix.query} type="button" class="button fix" title={fix.query} onClick={() => onQuery(fix.query)}>
          Use <code>{fix.label}</code>
        </button>
      ))}
    </Failed>
  );
}

export function UnknownNames({ query, hints, onQuery }: { query: string; hints: readonly NameHint[]; onQuery: (query: string) => void }) {
  return (
    <>
      {hints.map((hint) => {
        const fixed = fixName(query, hint);
        return (
          <Notice key={`${hint.kind} ${hint.name}`} kind="warning">
            {hint.text}{' '}
            {fixed !== null && (
              <button type="button" class="text-button fix" title={fixed} onClick={() => onQuery(fixed)}>Search for {hint.nearest}</button>
            )}
          </Notice>
        );
      })}
    </>
  );
}
