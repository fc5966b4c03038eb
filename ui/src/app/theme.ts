// SPDX-License-Identifier: Apache-2.0
//
// Light or dark: the system's wish unless the person chose. Canvases read their colours here, from
// the same custom properties that style the rest (app/base.css). Next: draw/waterfall.ts.
import { signal } from '@preact/signals';

export type ThemeChoice = 'system' | 'light' | 'dark';
const kStorageKey = 'weft.theme';
const kDark = window.matchMedia('(prefers-color-scheme: dark)');

function storedChoice(): ThemeChoice {
  try {
    const text = window.localStorage.getItem(kStorageKey);
    return text === 'light' || text === 'dark' ? text : 'system';
  } catch {
    return 'system'; // storage may be forbidden
  }
}

export const themeChoice = signal<ThemeChoice>(storedChoice());

export interface CanvasColours {
  dark: boolean;
  surface: string;
  ink: string;
  dim: string;
  pale: string;
  faint: string;
  line: string;
  accent: string;
  accentWash: string;
  error: string;
  hover: string;
  selected: string;
  match: string;
}

function readColours(): CanvasColours {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    dark: document.documentElement.dataset.theme === 'dark',
    surface: read('surface'), ink: read('ink'), dim: read('dim'), pale: read('pale'), faint: read('faint'),
    line: read('line'), accent: read('accent'), accentWash: read('accent-wash'),
    error: read('error'), hover: read('hover'), selected: read('selected'), match: read('match'),
  };
}

export const canvasColours = signal<CanvasColours>(readColours());

function apply(): void {
  const choice = themeChoice.value;
  const dark = choice === 'dark' || (choice === 'system' && kDark.matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  canvasColours.value = readColours();
}

export function startTheme(): void {
  kDark.addEventListener('change', apply);
  apply();
}

export function chooseTheme(choice: ThemeChoice): void {
  themeChoice.value = choice;
  try {
    if (choice === 'system') window.localStorage.removeItem(kStorageKey);
    else window.localStorage.setItem(kStorageKey, choice);
  } catch {
    // The choice then lasts as long as the page.
  }
  apply();
}

export function toggleTheme(): void {
  chooseTheme(canvasColours.value.dark ? 'light' : 'dark');
}
