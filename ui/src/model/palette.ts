// SPDX-License-Identifier: Apache-2.0
//
// The colour of a service: a stable hash of its name into twenty colours, the same in bars, chips,
// map and terminal (docs/palette.md is the definition; src/cli draws with the same table).
// No colour is red: red means error and nothing else. Next: model/units.ts.

export const kServiceColours: readonly string[] = [
  '#ab7865', '#6d6d4b', '#3f6c6d', '#3a9bfd', '#8a63c6',
  '#6771f1', '#5e52d2', '#d58207', '#bb75e3', '#c45d1b',
  '#949b58', '#57a78a', '#859ab8', '#ad4b8d', '#935516',
  '#3a78a0', '#7781bc', '#6c55a9', '#8e8192', '#5f853d',
];

// FNV-1a, 32 bits, over the UTF-8 bytes.
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

// The lowest four bits are dropped: short names that end alike meet in them too often.
export function serviceColourIndex(service: string): number {
  return (fnv1a32(service) >>> 4) % kServiceColours.length;
}

export function serviceColour(service: string): string {
  return kServiceColours[serviceColourIndex(service)]!;
}
