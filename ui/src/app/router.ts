// SPDX-License-Identifier: Apache-2.0
//
// The address as a signal. Every link inside the UI is a plain <a href>; clicks on them are taken
// over here, so that opening in a new tab works as anywhere. Addresses of the UI ("search?q=") are
// relative to the page's <base> (model/base_path.ts). Next: app/shell.tsx.
import { signal } from '@preact/signals';
import { pathUnder } from '../model/base_path';

export interface Place {
  path: string; // inside of the UI: "/search"
  parameters: URLSearchParams;
  visit: number; // grows with every step that is not a replacement
}

let visits = 0;

// The path of an address inside of the UI; null where it is not ours.
function ownPath(pathname: string): string | null {
  return pathUnder(new URL(document.baseURI).pathname, pathname);
}

function here(): Place {
  return {
    path: ownPath(window.location.pathname) ?? '/',
    parameters: new URLSearchParams(window.location.search),
    visit: visits,
  };
}

export const place = signal<Place>(here());

function isHere(url: string): boolean {
  const { pathname, search } = new URL(url, document.baseURI);
  return pathname + search === window.location.pathname + window.location.search;
}

// Opens `url` as a new step of the history, or in place of the current one.
export function go(url: string, replace = false): void {
  if (isHere(url)) replace = true;
  if (replace) {
    window.history.replaceState(null, '', url);
  } else {
    window.history.pushState(null, '', url);
    visits++;
  }
  const before = place.value.path;
  place.value = here();
  if (!replace && before !== place.value.path) window.scrollTo(0, 0);
}

// Changes the address without telling the pages: they already show that state.
export function noteUrl(url: string): void {
  window.history.replaceState(null, '', url);
}

// The same, as a step of the history.
export function pushUrl(url: string): void {
  if (isHere(url)) return;
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
    const path = link.origin === window.location.origin ? ownPath(link.pathname) : null;
    if (path === null || path.startsWith('/api/')) return;
    event.preventDefault();
    go(link.href);
  });
}
