// SPDX-License-Identifier: Apache-2.0
//
// What every page stands in: the top bar, the dialogs, and the choice of the page by the address.
// Next: pages/search/search_page.tsx, pages/trace/trace_page.tsx.
import { useEffect, useState } from 'preact/hooks';
import { Empty } from '../parts/page_states';
import { Icon } from '../parts/icon';
import { comparedIds } from '../model/jaeger_links';
import { readPastedTrace } from '../model/pasted_trace';
import { pastedUrl } from '../model/trace_url';
import { ComparePage } from '../pages/jaeger/compare_page';
import { DependenciesPage } from '../pages/jaeger/dependencies_page';
import { MonitorPage } from '../pages/jaeger/monitor_page';
import { SearchPage } from '../pages/search/search_page';
import { TracePage } from '../pages/trace/trace_page';
import { HelpDialog, helpOpen } from './help_dialog';
import { useKeys } from './keyboard';
import { PaletteDialog, paletteOpen } from './palette_dialog';
import { go, place } from './router';
import { canvasColours, toggleTheme } from './theme';

function JumpBox({ label = 'Open a trace' }: { label?: string }) {
  const [wrong, setWrong] = useState(false);
  return (
    <form class="jump" role="search" aria-label={label} onSubmit={(event) => {
      event.preventDefault();
      const field = event.currentTarget.elements.namedItem('trace') as HTMLInputElement;
      const pasted = readPastedTrace(field.value);
      setWrong(pasted === null);
      if (pasted === null) return;
      field.value = '';
      go(pastedUrl(pasted));
    }}>
      <input name="trace" class="field small" type="text" placeholder="Trace id" autocomplete="off"
        spellcheck={false} aria-label="Trace id" aria-invalid={wrong}
        title={wrong ? 'There is no trace id in this: it has 32 hexadecimal digits (16 in old systems).'
          : 'A trace id, alone or in a traceparent, another header, an address or a log line'}
        onInput={() => setWrong(false)} />
    </form>
  );
}

function TopBar() {
  const path = place.value.path;
  const dark = canvasColours.value.dark;
  return (
    <header class="top-bar">
      <a class="brand" href="search" aria-label="weft">
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d="M1 3.5h14M4.5 8H13M8.5 12.5H12" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" />
        </svg>
        <span class="brand-name">weft</span>
      </a>
      <nav aria-label="Pages">
        <a href="search" aria-current={path === '/' || path === '/search' ? 'page' : undefined}>Search</a>
        <a href="dependencies" aria-current={path === '/dependencies' ? 'page' : undefined}>Dependencies</a>
      </nav>
      <span class="spring" />
      <JumpBox />
      <button type="button" class="icon-button" title="Commands"
        onClick={() => (paletteOpen.value = true)}><span class="unseen">Commands</span><kbd>Ctrl K</kbd><span class="palette-icon"><Icon name="search" /></span></button>
      <button type="button" class="icon-button" aria-label={dark ? 'Light theme' : 'Dark theme'}
        title={dark ? 'Light theme' : 'Dark theme'} onClick={toggleTheme}><Icon name="theme" /></button>
      <button type="button" class="icon-button" aria-label="Keys" title="Keys (?)"
        onClick={() => (helpOpen.value = true)}><Icon name="help" /></button>
    </header>
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % that escapes nothing
  }
}

function NoTraceId({ text }: { text: string }) {
  useEffect(() => {
    document.title = 'No trace id \u00b7 weft';
  }, []);
  return (
    <main class="page">
      <h1 class="unseen">No trace id</h1>
      <Empty title={text === '' ? 'This address has no trace id' : `${text} is no trace id`}>
        <p>A trace id has 32 hexadecimal digits (16 in old systems) that are not all zero. It may also stand in a traceparent, another header, an address or a log line.</p>
        <div class="row"><JumpBox label="Open another trace" /><a class="button" href="search">Search</a></div>
      </Empty>
    </main>
  );
}

function Page() {
  const { parameters } = place.value;
  const path = place.value.path.replace(/\/+$/, '');
  if (path === '' || path === '/search') return <SearchPage />;
  if (path === '/dependencies' || path === '/deep-dependencies') return <DependenciesPage />;
  if (path === '/monitor') return <MonitorPage />;
  const pair = comparedIds(path, parameters);
  if (pair !== null) return <ComparePage ids={pair} />;
  const trace = /^\/trace\/([^/]+)$/.exec(path);
  // Jaeger's links drop leading zeros.
  const id = trace === null ? undefined : readPastedTrace(trace[1]!)?.traceId;
  if (id !== undefined) return <TracePage key={id} traceId={id} />;
  const text = /^\/trace(?:\/(.*))?$/.exec(path);
  if (text !== null) return <NoTraceId text={decoded(text[1] ?? '')} />;
  return (
    <main class="page">
      <h1 class="unseen">No such page</h1>
      <Empty title="There is no such page">
        <p>Nothing lives at <code>{path}</code>. <a href="search">Go to search</a>.</p>
      </Empty>
    </main>
  );
}

export function Shell() {
  useKeys([
    { keys: ['?'], does: 'Show the keys', group: 'Everywhere', run: () => (helpOpen.value = true) },
    { keys: ['Ctrl-k'], does: 'Commands', group: 'Everywhere', run: () => (paletteOpen.value = true) },
    { keys: ['T'], does: 'Light or dark', group: 'Everywhere', run: toggleTheme },
    { keys: ['g'], does: 'Go to search', group: 'Everywhere', run: () => go('search') },
  ]);
  return (
    <>
      <TopBar />
      <Page />
      <HelpDialog />
      <PaletteDialog />
    </>
  );
}
