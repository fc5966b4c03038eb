// SPDX-License-Identifier: Apache-2.0
//
// The signs that stand beside a span's name, and what each says: the tree draws them, the legend
// explains them. Next: pages/trace/legend.tsx.

export const kMarks = {
  error: '!',
  orphan: '?',
  follows: '\u219d',
  copy: '2\u00d7',
  noTime: '\u2205',
  moved: '\u0394',
  links: '\u21c4',
  logs: '\u2261',
} as const;
