// SPDX-License-Identifier: Apache-2.0
//
// The address as a signal. Every link inside the UI is a plain <a href>; clicks on them are taken
// over here, so that opening in a new tab works as anywhere. Next: app/shell.tsx.
import { signal } from '@preact/signals';

export interface Place {
  path: string;
  parameters: URLSearchParams;
  visit: number; // grows with every step that is not a replacement
}

let visits = 0;

function here(): Place {
  return {
    path: window.location.pathname,
    parameters: new URLSearchParams(window.location.search),
    visit: visits,
  };
}

export const place = signal<Place>(here());

// Opens `url` as a new step of the history, or in place of the current one.
export function go(url: string, replace = false): void {
  if (url === window.location.pathname + window.location.search) {
    replace = true;
  }
  if (replace) {
    window.history.replaceState(null, '', url);
  } else {
    window.history.pushState(null, '', url);
    visits++;
  }
  const moved = !replace && place.value.path !== window.location.pathname;
  place.value = here();
  if (moved) window.scrollTo(0, 0);
}

// Changes the address without telling the pages: they already show that state.
export function noteUrl(url: string): void {
  window.history.replaceState(null, '', url);
}

// The same, as a step of the history.
export function pushUrl(url: string): void {
  if (url === window.location.pathname + window.location.search) return;
  window.history.pushState(null, '', url);
  visits++;
}

export function startRouter(): void {
  window.history.scrollRestoration = 'manual'; // the pages know better when there is something to scroll
  window.addEventListener('popstate', () => {
    visits++;
    place.value = here();
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a[href]');
    if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.download !== '') return;
    if (link.origin !== window.location.origin || link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
