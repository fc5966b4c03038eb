// SPDX-License-Identifier: Apache-2.0
//
// Keys: a page registers what its keys do, the help (`?`) and the palette (Ctrl-K) list the same
// table. A key pressed in a text field belongs to that field. Next: app/palette_dialog.tsx.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

export interface Binding {
  keys: string[]; // as KeyboardEvent.key; "Ctrl-k" for the palette
  does: string;
  group: string;
  run: (event: KeyboardEvent) => void;
}

export const bindings = signal<readonly Binding[]>([]);

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.matches('input, textarea, select') || target.isContentEditable)
  );
}

// Registers the bindings while the component is mounted; the functions may change with each render.
export function useKeys(list: Binding[]): void {
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => {
    const mine = latest.current.map((binding, index) => ({
      ...binding,
      run: (event: KeyboardEvent) => latest.current[index]?.run(event),
    }));
    bindings.value = [...bindings.value, ...mine];
    return () => {
      bindings.value = bindings.value.filter((binding) => !mine.includes(binding));
    };
  }, []);
}

function chordOf(event: KeyboardEvent): string {
  return event.ctrlKey || event.metaKey ? `Ctrl-${event.key.toLowerCase()}` : event.key;
}

export function startKeyboard(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.altKey) return;
    const chord = chordOf(event);
    if (isTyping(event.target) && !chord.startsWith('Ctrl-')) return;
    if (document.querySelector('dialog[open]') !== null) return;
    for (let i = bindings.value.length - 1; i >= 0; i--) {
      const binding = bindings.value[i]!;
      if (!binding.keys.includes(chord)) continue;
      event.preventDefault();
      binding.run(event);
      return;
    }
  });
}
