import { expect, it } from 'vitest';
import { kept, mostShared } from './kept-octets.ts';

const numbered = (octets: number): Buffer => Buffer.from(Array.from({ length: octets }, (_, at) => at % 251));

it('what is kept is a copy of the octets between its bounds, whatever becomes of where they were', () => {
  const from = numbered(100);
  const copy = kept(from, 10, 90);
  from.fill(0);
  expect(copy.equals(numbered(100).subarray(10, 90))).toBe(true);
});

it('small ones lie together, each in a place of its own, and a full slab is followed by another', () => {
  const from = numbered(mostShared);
  const copies = Array.from({ length: 40 }, (_, at) => kept(from, 0, 1000 + 10 * at));
  copies.forEach((copy, at) => copy.fill(at));
  copies.forEach((copy, at) => expect(copy.equals(Buffer.alloc(1000 + 10 * at, at))).toBe(true));
  const slabs = new Map<ArrayBufferLike, number>();
  for (const { buffer, length } of copies) slabs.set(buffer, (slabs.get(buffer) ?? 0) + length);
  const largest = Array.from({ length: 9 }, () => kept(from, 0, mostShared).buffer);
  expect([...slabs].every(([slab, used]) => used <= slab.byteLength)).toBe(true);
  expect([slabs.size <= 2, new Set(largest).size]).toEqual([true, 3]);
});

it('what is kept is not copied when a part of it is kept', () => {
  const whole = kept(numbered(300), 0, 300);
  const part = kept(whole, 100, 200);
  expect([part.buffer === whole.buffer, part.byteOffset - whole.byteOffset]).toEqual([true, 100]);
  // Also where it lies in a slab that is full by now.
  for (let count = 0; count < 5; count++) kept(numbered(mostShared), 0, mostShared);
  expect(kept(whole, 100, 200).equals(part)).toBe(true);
});

it('a larger one has memory of its own', () => {
  const copy = kept(numbered(mostShared + 1), 0, mostShared + 1);
  expect([copy.buffer.byteLength, copy.equals(numbered(mostShared + 1))]).toEqual([mostShared + 1, true]);
});
