// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import kDocument from '../../../docs/palette.md?raw';
import kStyles from '../app/services.css?raw';
import { fnv1a32, kServiceColours, serviceColourIndex } from './palette';

describe('service colours', () => {
  it('hashes as FNV-1a does', () => {
    expect(fnv1a32('')).toBe(0x811c9dc5);
    expect(fnv1a32('a')).toBe(0xe40c292c);
    expect(fnv1a32('foobar')).toBe(0xbf9cf968);
  });
  it('agrees with the test vectors of docs/palette.md', () => {
    const vectors = [...kDocument.matchAll(/`([^`]+)` (\d+)[,.]/g)];
    expect(vectors.length).toBeGreaterThan(6);
    for (const [, name, index] of vectors) expect(serviceColourIndex(name!)).toBe(Number(index));
  });
  it('are the same in docs, code and style sheet', () => {
    for (const [, index, colour] of kDocument.matchAll(/\| (\d+) \| `(#[0-9a-f]{6})`/g)) {
      expect(kServiceColours[Number(index)]).toBe(colour);
    }
    kServiceColours.forEach((colour, index) => expect(kStyles).toContain(`.service-${index} { --service: ${colour}; }`));
  });
  it('stand out from both backgrounds, and none is red', () => {
    const channel = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const luminance = (hex: string) => {
      const [r, g, b] = [1, 3, 5].map((at) => channel(parseInt(hex.slice(at, at + 2), 16) / 255)) as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    for (const colour of kServiceColours) {
      const own = luminance(colour);
      expect(1.05 / (own + 0.05)).toBeGreaterThan(2.8);
      expect((own + 0.05) / (luminance('#181c21') + 0.05)).toBeGreaterThan(2.8);
    }
  });
});
