// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import kDocument from '../../../docs/palette.md?raw';
import { colourAt, fnv1a32, kColours, kServiceColours, ownColourIndex, ServiceColours } from './palette';

const kAll = Array.from({ length: kColours }, (_, index) => colourAt(index));

describe('service colours', () => {
  it('hashes as FNV-1a does', () => {
    expect(fnv1a32('')).toBe(0x811c9dc5);
    expect(fnv1a32('a')).toBe(0xe40c292c);
    expect(fnv1a32('foobar')).toBe(0xbf9cf968);
  });
  it('agrees with the test vectors of docs/palette.md', () => {
    const vectors = [...kDocument.match(/^Own colours.*$/m)![0].matchAll(/`([^`]+)` (\d+)[,.]/g)];
    expect(vectors.length).toBeGreaterThan(6);
    for (const [, name, index] of vectors) expect(ownColourIndex(name!)).toBe(Number(index));
  });
  it('agrees with the pages of docs/palette.md', () => {
    const pages = [...kDocument.matchAll(/^- (`.+` \d+)$/gm)];
    expect(pages.length).toBeGreaterThan(2);
    for (const [, page] of pages) {
      const services = [...page!.matchAll(/`([^`]*)` (\d+)/g)];
      const colours = new ServiceColours(services.map((service) => service[1]!).reverse());
      for (const [, name, index] of services) expect(colours.indexOf(name!), `${name} in ${page}`).toBe(Number(index));
    }
  });
  it('are the same in docs and code', () => {
    for (const [, index, colour] of kDocument.matchAll(/\| (\d+) \| `(#[0-9a-f]{6})`/g)) expect(colourAt(Number(index))).toBe(colour);
    expect(kDocument.match(/\| (\d+) \| `(#[0-9a-f]{6})`/g)!.length).toBeGreaterThanOrEqual(kServiceColours.length);
  });
  it('are all different', () => expect(new Set(kAll).size).toBe(220));
  it('stand out from both backgrounds, and none is red', () => {
    const channel = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const luminance = (hex: string) => {
      const [r, g, b] = [1, 3, 5].map((at) => channel(parseInt(hex.slice(at, at + 2), 16) / 255)) as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    kAll.forEach((colour, index) => {
      const own = luminance(colour);
      const least = index < kServiceColours.length ? 2.8 : 2.7;
      expect(1.05 / (own + 0.05)).toBeGreaterThan(least);
      expect((own + 0.05) / (luminance('#181c21') + 0.05)).toBeGreaterThan(least);
    });
  });
});

describe('the services of one page', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `service-${index}`);
  it.each([2, 5, 20, 21, 57, 220])('never share a colour: %d', (count) => {
    const colours = new ServiceColours(names(count));
    expect(new Set(names(count).map((name) => colours.of(name))).size).toBe(count);
  });
  it('stay in the twenty as long as they last', () => {
    const colours = new ServiceColours(names(20));
    expect(Math.max(...names(20).map((name) => colours.indexOf(name)))).toBeLessThan(20);
  });
  it('have the same colours in any order, and named twice', () => {
    const one = new ServiceColours(names(30));
    const other = new ServiceColours([...names(30).reverse(), ...names(3)]);
    for (const name of names(30)) expect(other.indexOf(name)).toBe(one.indexOf(name));
  });
  it('have their own colour where nobody else has it', () => {
    const page = names(9);
    const colours = new ServiceColours(page);
    for (const name of page) {
      if (page.every((other) => other === name || ownColourIndex(other) !== ownColourIndex(name))) {
        expect(colours.indexOf(name)).toBe(ownColourIndex(name));
      }
    }
  });
  it('share colours only where there are more than all', () => {
    expect(() => new ServiceColours(names(300))).not.toThrow();
  });
});
