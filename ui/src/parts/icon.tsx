// SPDX-License-Identifier: Apache-2.0
//
// The few pictograms of the UI, 16 by 16, drawn with the text's colour. Always beside a name or an
// aria-label; none carries meaning alone.

const kPaths = {
  chevron: 'M6 4l4 4-4 4',
  close: 'M4.5 4.5l7 7m0-7l-7 7',
  copy: 'M6 6h7v7H6zM3 10V3h7',
  search: 'M7 3a4 4 0 100 8 4 4 0 000-8zm3 7l3.5 3.5',
  link: 'M9 3h4v4m0-4L7 9M6 4H3v9h9v-3',
  theme: 'M8 3a5 5 0 100 10V3z',
  help: 'M6 6a2 2 0 113 1.7c-.7.4-1 .8-1 1.6M8 11.6v.4',
  up: 'M4 10l4-4 4 4',
  down: 'M4 6l4 4 4-4',
  warning: 'M8 3l5.5 10h-11zM8 7v3m0 1.4v.3',
  error: 'M8 2.8a5.2 5.2 0 100 10.4A5.2 5.2 0 008 2.8zM8 5.4v3.4m0 1.6v.3',
} as const;

export type IconName = keyof typeof kPaths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={kPaths[name]} fill="none" stroke="currentColor" stroke-width="1.3"
        stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
