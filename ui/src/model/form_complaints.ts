// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with a field of the search form, in words that say what is expected there; "" where
// nothing is. Next: pages/search/query_panel.tsx.
import { parseTags } from './query_form';
import { parseDuration } from './units';

export function durationComplaint(text: string): string {
  const bare = text.trim();
  if (bare === '' || parseDuration(bare) !== null) return '';
  const wrong = /^[\d.]+$/.test(bare) ? `\u201c${bare}\u201d has no unit` : `\u201c${bare}\u201d is no duration`;
  return `${wrong}: for example 100ms, 1.5s`;
}

const kTagForms = 'key=value, key!=value, key>5, key=~"regex", with quotes around spaces';

// The first word with which the pairs stop to be pairs.
function firstWrongWord(text: string): string {
  const words = text.match(/(?:[^\s"]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  return words.find((word) => parseTags(word) === null && !/^(=~|!~|!=|>=|<=|=|>|<)/.test(word)) ?? words[0] ?? '';
}

export function tagsComplaint(text: string): string {
  if (parseTags(text) !== null) return '';
  const isOpen = text.replace(/\\./g, '').split('"').length % 2 === 0;
  if (isOpen) return `A quote is not closed: ${kTagForms}`;
  return `\u201c${firstWrongWord(text)}\u201d is no condition: ${kTagForms}`;
}
