// SPDX-License-Identifier: Apache-2.0
//
// `?`: the keys that work here, out of the same table that runs them.
import { useEffect, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import { bindings, type Binding } from './keyboard';

export const helpOpen = signal(false);

export function keyName(key: string): string {
  const names: Record<string, string> = {
    ArrowUp: '\u2191', ArrowDown: '\u2193', ArrowLeft: '\u2190', ArrowRight: '\u2192', ' ': 'Space',
    Escape: 'Esc', 'Ctrl-k': 'Ctrl K', PageDown: 'PgDn', PageUp: 'PgUp',
  };
  return names[key] ?? key;
}

export function HelpDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = helpOpen.value;
  useEffect(() => {
    if (open && !dialog.current!.open) dialog.current!.showModal();
    if (!open && dialog.current!.open) dialog.current!.close();
  }, [open]);
  const groups = new Map<string, Binding[]>();
  for (const binding of bindings.value) {
    groups.set(binding.group, [...(groups.get(binding.group) ?? []), binding]);
  }
  return (
    <dialog class="dialog help" ref={dialog} aria-labelledby="help-title"
      onClose={() => (helpOpen.value = false)}
      onClick={(event) => event.target === dialog.current && (helpOpen.value = false)}>
      <div class="dialog-body">
        <h2 id="help-title">Keys</h2>
        <div class="help-groups">
          {[...groups].map(([group, list]) => (
            <section key={group}>
              <h3>{group}</h3>
              <dl>
                {list.map((binding) => (
                  <div key={binding.does}>
                    <dt>{binding.keys.map((key) => <kbd key={key}>{keyName(key)}</kbd>)}</dt>
                    <dd>{binding.does}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
        <button type="button" class="button" onClick={() => (helpOpen.value = false)}>Close</button>
      </div>
    </dialog>
  );
}
