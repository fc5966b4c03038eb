// SPDX-License-Identifier: Apache-2.0
//
// The colour of a service: a stable hash of its name into twenty colours, and among the services of
// one page no colour twice (docs/palette.md is the definition; src/terminal/service_colours.h draws by the
// same rule). No colour is red: red means error and nothing else. Next: model/units.ts.

export const kServiceColours: readonly string[] = [
  '#ab7865', '#6d6d4b', '#3f6c6d', '#3a9bfd', '#8a63c6',
  '#6771f1', '#5e52d2', '#d58207', '#bb75e3', '#c45d1b',
  '#949b58', '#57a78a', '#859ab8', '#ad4b8d', '#935516',
  '#3a78a0', '#7781bc', '#6c55a9', '#8e8192', '#5f853d',
];
const kOwn = kServiceColours.length;
const kRounds = 11; // the twenty, and ten rounds of mixtures
export const kColours = kOwn * kRounds;

// FNV-1a, 32 bits, over the UTF-8 bytes.
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

// The colour that a name has where no other service of the page has it. The lowest four bits are
// dropped: short names that end alike meet in them too often.
export function ownColourIndex(service: string): number {
  return (fnv1a32(service) >>> 4) % kOwn;
}

// Behind the twenty stand mixtures of two of them, two parts to one.
export function colourAt(index: number): string {
  const round = Math.floor(index / kOwn) % kRounds;
  const own = index % kOwn;
  if (round === 0) return kServiceColours[own]!;
  const other = (own + 2 + 8 * round + 5 * Math.floor((round - 1) / 5)) % kOwn;
  const part = (colour: string, at: number) => parseInt(colour.slice(at, at + 2), 16);
  return `#${[1, 3, 5].map((at) => {
    const value = Math.floor((2 * part(kServiceColours[own]!, at) + part(kServiceColours[other]!, at)) / 3);
    return value.toString(16).padStart(2, '0');
  }).join('')}`;
}

// In the order of UTF-8 bytes, which JavaScript's own order of strings is not.
function byCodePoints(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  if (i === a.length || i === b.length) return a.length - b.length;
  const low = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff;
  if (i > 0 && (low(a.charCodeAt(i)) || low(b.charCodeAt(i)))) i--;
  return a.codePointAt(i)! - b.codePointAt(i)!;
}

export class ServiceColours {
  private readonly indexes = new Map<string, number>();
  private readonly taken = new Set<number>();

  // Own colours first, to the first by name of those that share one; then the others, by name, take
  // the next free one.
  constructor(services: Iterable<string> = []) {
    const names = [...new Set(services)].sort(byCodePoints);
    const rest = names.filter((name) => !this.take(name, ownColourIndex(name)));
    for (const name of rest) this.takeNext(name);
  }

  private take(name: string, index: number): boolean {
    if (this.taken.has(index)) return false;
    this.taken.add(index);
    this.indexes.set(name, index);
    return true;
  }

  private takeNext(name: string): void {
    const own = ownColourIndex(name);
    for (let step = 0; step < kColours; step++) {
      const round = Math.floor(step / kOwn);
      if (this.take(name, round * kOwn + ((own + step) % kOwn))) return;
    }
    this.indexes.set(name, own); // more services than colours
  }

  indexOf(service: string): number {
    return this.indexes.get(service) ?? ownColourIndex(service);
  }
  of(service: string): string {
    return colourAt(this.indexOf(service));
  }
}
