// SPDX-License-Identifier: Apache-2.0
//
// The TraceQL line: coloured text under a plain input, completion from the server's names, the place
// of an error marked. Next: model/completion.ts.
import { useEffect, useRef, useState } from 'preact/hooks';
import { operationNames, serviceNames, tagNames, tagValues } from '../../api/names';
import {
  keywordValues, kKeywordKeys, kOperators, rank, slotAt, type Candidate, type Slot,
} from '../../model/completion';
import { kUnknownService, queryToForm } from '../../model/query_form';
import { attributePath, quote, splitPath, tokenize } from '../../model/traceql_text';

const kShown = 12;

async function keyCandidates(): Promise<Candidate[]> {
  const known = new Set(kKeywordKeys.map(([key]) => key));
  const tags = await tagNames().catch(() => []);
  return [
    ...kKeywordKeys.map(([key, note]) => ({ text: key, label: key, note })),
    ...tags
      .map((tag) => ({ path: tag.field ?? attributePath(tag.scope, tag.key), scope: tag.scope }))
      .filter(({ path }) => path !== '' && !known.has(path))
      .map(({ path, scope }) => ({ text: path, label: path, note: scope })),
  ];
}

async function valueCandidates(key: string, line: string): Promise<Candidate[]> {
  const words = keywordValues(key);
  if (words !== null) return words.map((word) => ({ text: word, label: word, note: '' }));
  const { scope, key: name } = splitPath(key);
  let values: string[] = [];
  if (name === 'service.name' || key === 'trace:rootService' || key === 'rootServiceName') {
    values = await serviceNames();
    // As a value of the attribute nobody has it.
    if (name === 'service.name') values = values.filter((value) => value !== kUnknownService);
  } else if (['name', 'span:name', 'trace:rootName', 'rootName'].includes(key)) {
    const service = queryToForm(line)?.service ?? '';
    values = [...new Set((await operationNames(service)).map((operation) => operation.name))];
  } else if (scope !== 'intrinsic') {
    values = await tagValues(scope, name);
  }
  return values.map((value) => {
    const bare = /^-?\d+(\.\d+)?$/.test(value) || value === 'true' || value === 'false';
    return { text: bare ? value : quote(value), label: value, note: '' };
  });
}

async function candidatesFor(slot: Slot, line: string): Promise<Candidate[]> {
  switch (slot.kind) {
    case 'key':
      return rank(await keyCandidates(), slot.prefix);
    case 'op':
      return kOperators
        .filter(([op]) => op.startsWith(slot.prefix))
        .map(([op, note]) => ({ text: op, label: op, note }));
    case 'value':
      return rank(await valueCandidates(slot.key, line).catch(() => []), slot.prefix);
    case 'join':
      return [
        { text: '&&', label: '&&', note: 'and' }, { text: '||', label: '||', note: 'or' },
      ].filter(({ text }) => text.startsWith(slot.prefix));
  }
}

function Coloured({ text, errorAt }: { text: string; errorAt: number | null }) {
  const parts = [];
  let at = 0;
  for (const token of tokenize(text)) {
    if (token.from > at) parts.push(text.slice(at, token.from));
    const wrong = errorAt !== null && errorAt >= token.from && errorAt < token.to;
    parts.push(<span class={`t-${token.kind}${wrong ? ' t-wrong' : ''}`}>{token.text}</span>);
    at = token.to;
  }
  parts.push(text.slice(at));
  return <>{parts}</>;
}

interface Props {
  text: string;
  errorColumn: number | null; // from 1
  onText: (text: string) => void;
  onRun: (text: string) => void;
}

export function QueryLine({ text, errorColumn, onText, onRun }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const under = useRef<HTMLDivElement>(null);
  const [slot, setSlot] = useState<Slot | null>(null);
  const [list, setList] = useState<Candidate[]>([]);
  const [active, setActive] = useState(-1);
  const asked = useRef(0);
  const close = () => {
    asked.current++;
    setList([]);
    setActive(-1);
  };
  const scroll = () => {
    if (under.current && input.current) under.current.scrollLeft = input.current.scrollLeft;
  };
  useEffect(scroll);
  const complete = (line: string, caret: number) => {
    const next = slotAt(line, caret);
    setSlot(next);
    const turn = ++asked.current;
    if (next === null) {
      close();
      return;
    }
    void candidatesFor(next, line).then((found) => {
      if (turn !== asked.current) return;
      setActive(-1);
      // Nothing more to say: the only candidate already stands there.
      const said = found.length === 1 && found[0]!.label === next.prefix;
      setList(said ? [] : found.slice(0, kShown));
    });
  };
  const take = (candidate: Candidate) => {
    if (slot === null) return;
    const before = text.slice(0, slot.from);
    const after = text.slice(slot.to);
    const gap = /\s$/.test(before) || before.endsWith('{') || before === '' ? '' : ' ';
    const lead = slot.kind === 'key' && before.endsWith('{') ? ' ' : gap;
    const inserted = `${lead}${candidate.text}${after.startsWith(' ') ? '' : ' '}`;
    const line = before + inserted + after;
    const caret = before.length + inserted.length + (after.startsWith(' ') ? 1 : 0);
    onText(line);
    requestAnimationFrame(() => {
      input.current?.setSelectionRange(caret, caret);
      complete(line, caret);
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      if (list.length > 0) close();
      else input.current!.blur();
      event.preventDefault();
    } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && list.length > 0) {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((active + step + list.length + (active < 0 && step < 0 ? 1 : 0)) % list.length);
    } else if (event.key === 'Tab' && list.length > 0 && active >= 0) {
      event.preventDefault();
      take(list[active]!);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (active >= 0 && list[active] !== undefined) {
        take(list[active]);
      } else {
        close();
        onRun(input.current!.value);
      }
    } else if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault();
      complete(text, input.current!.selectionStart ?? text.length);
    }
  };
  const open = list.length > 0;
  return (
    <div class="query-line">
      <div class="query-under mono" ref={under} aria-hidden="true">
        <Coloured text={text} errorAt={errorColumn === null ? null : errorColumn - 1} />
      </div>
      <input ref={input} id="query" class="query-input mono" type="text" value={text} spellcheck={false}
        autocomplete="off" autocapitalize="off" placeholder="{ status = error && duration > 1s }"
        role="combobox" aria-label="TraceQL query" aria-expanded={open} aria-controls="completions"
        aria-autocomplete="list" aria-invalid={errorColumn !== null}
        aria-activedescendant={open && active >= 0 ? `completion-${active}` : undefined}
        onInput={(event) => {
          const field = event.currentTarget;
          onText(field.value);
          complete(field.value, field.selectionStart ?? field.value.length);
        }}
        onScroll={scroll} onKeyUp={scroll} onKeyDown={onKeyDown}
        onClick={(event) => complete(text, event.currentTarget.selectionStart ?? text.length)}
        onBlur={() => window.setTimeout(close, 120)} />
      <ul id="completions" role="listbox" aria-label="Completions" hidden={!open}>
        {list.map((candidate, index) => (
          <li key={candidate.text} id={`completion-${index}`} role="option" aria-selected={index === active}
            onMouseDown={(event) => { event.preventDefault(); take(candidate); }}>
            <span class="mono ellipsis">{candidate.label}</span>
            <span class="dim">{candidate.note}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
