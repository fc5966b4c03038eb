// SPDX-License-Identifier: Apache-2.0
//
// The states that every list and page has beside its content: loading, empty, partial, failed.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { Icon } from './icon';

// True once `active` has lasted 200 ms: what is quick shows no spinner.
export function useSlow(active: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    if (!active) return undefined;
    const timer = window.setTimeout(() => setSlow(true), 200);
    return () => window.clearTimeout(timer);
  }, [active]);
  return slow && active;
}

// A line along the top edge of its (positioned) parent; takes no room.
export function ProgressLine({ active }: { active: boolean }) {
  const slow = useSlow(active);
  return (
    <div class="progress" role="status" aria-live="polite">
      {slow && <><div class="progress-bar" /><span class="unseen">Loading</span></>}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <section class="state-box" role="status">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Notice(props: { kind: 'info' | 'warning'; children: ComponentChildren }) {
  return (
    <p class={`notice ${props.kind}`} role="status">
      <Icon name="warning" />
      <span>{props.children}</span>
    </p>
  );
}

// `children`: buttons beside "Try again".
export function Failed({ title, error, retry, children }: {
  title: string; error: Error; retry: () => void; children?: ComponentChildren;
}) {
  const hint = error instanceof ApiError ? error.hint : '';
  return (
    <section class="state-box failed" role="alert">
      <h2><Icon name="error" /> {title}</h2>
      <p>{error.message}</p>
      {hint !== '' && <p class="dim">{hint}</p>}
      <div class="row">
        {children}
        <button type="button" class="button" onClick={retry}>Try again</button>
      </div>
    </section>
  );
}
