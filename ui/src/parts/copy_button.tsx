// SPDX-License-Identifier: Apache-2.0
//
// Copies a text and says so. Where the clipboard is refused (plain HTTP on a foreign host), the text
// is selected the old way.
import { useState } from 'preact/hooks';
import { Icon } from './icon';

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'unseen';
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  const onClick = () => {
    void copy(text).then(() => {
      setDone(true);
      window.setTimeout(() => setDone(false), 1200);
    });
  };
  return (
    <button type="button" class="icon-button" title={done ? 'Copied' : label} aria-label={label}
      onClick={onClick}>
      {done ? <span class="done" role="status">copied</span> : <Icon name="copy" />}
    </button>
  );
}
