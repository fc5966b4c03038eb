// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-K: everything that a key does, by name; a trace by its id; the traces of a service.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { serviceNames } from '../api/names';
import { readPastedTrace } from '../model/pasted_trace';
import { emptyForm, formToQuery } from '../model/query_form';
import { searchUrl } from '../model/search_url';
import { pastedUrl } from '../model/trace_url';
import { bindings } from './keyboard';
import { keyName } from './help_dialog';
import { go } from './router';

export const paletteOpen = signal(false);

interface Command {
  label: string;
  note: string;
  run: () => void;
}

// With fewer digits a word may be the name of a command or a service.
const kLeastDigits = 16;

function commandsFor(text: string, services: readonly string[]): Command[] {
  const pasted = readPastedTrace(text, kLeastDigits);
  if (pasted !== null) return [{ label: `Open trace ${pasted.traceId}`, note: '', run: () => go(pastedUrl(pasted)) }];
  const commands: Command[] = [
    ...bindings.value
      .filter((binding) => !binding.keys.includes('Ctrl-k'))
      .map((binding) => ({
        label: binding.does,
        note: binding.keys.map(keyName).join(' '),
        run: () => binding.run(new KeyboardEvent('keydown', { key: binding.keys[0]! })),
      })),
    ...services.map((service) => ({
      label: `Traces of ${service}`,
      note: 'search',
      run: () => go(searchUrl({ query: formToQuery({ ...emptyForm(), service }) })),
    })),
  ];
  const wanted = text.trim().toLowerCase();
  return commands.filter((command) => command.label.toLowerCase().includes(wanted));
}

export function PaletteDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const [services, setServices] = useState<readonly string[]>([]);
  const open = paletteOpen.value;
  useEffect(() => {
    if (!open) {
      if (dialog.current!.open) dialog.current!.close();
      return;
    }
    setText('');
    setActive(0);
    dialog.current!.showModal();
    serviceNames().then(setServices, () => setServices([]));
  }, [open]);
  const commands = open ? commandsFor(text, services) : [];
  const close = () => (paletteOpen.value = false);
  const runAt = (index: number) => {
    const command = commands[index];
    if (command === undefined) return;
    close();
    // After the dialog has given the focus back.
    window.setTimeout(command.run, 0);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setActive((active + step + commands.length) % Math.max(1, commands.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      runAt(active);
    }
  };
  useEffect(() => {
    document.getElementById(`command-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <dialog class="dialog palette" ref={dialog} aria-label="Commands" onClose={close}
      onClick={(event) => event.target === dialog.current && close()}>
      <div class="dialog-body">
        <input class="field" type="text" placeholder="A command, a service, a trace id" value={text}
          role="combobox" aria-label="Command" aria-expanded="true" aria-controls="commands"
          aria-autocomplete="list"
          aria-activedescendant={commands.length > 0 ? `command-${active}` : undefined}
          onInput={(event) => { setText(event.currentTarget.value); setActive(0); }}
          onKeyDown={onKeyDown} />
        <ul id="commands" role="listbox" aria-label="Commands">
          {commands.map((command, index) => (
            <li key={command.label} id={`command-${index}`} role="option" aria-selected={index === active}
              onMouseMove={() => setActive(index)} onClick={() => runAt(index)}>
              <span>{command.label}</span><span class="dim">{command.note}</span>
            </li>
          ))}
          {commands.length === 0 && <li role="option" aria-selected="false" class="dim">Nothing by that name.</li>}
        </ul>
      </div>
    </dialog>
  );
}
