import { expect, it } from 'vitest';
import { copyBytes } from './copy-bytes.ts';

const numbered = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at % 250) + 1);

it('copies all bytes to their place and none beside it, few or many, from and to memory of either kind', () => {
  for (const length of [0, 1, 127, 128, 129, 70_000])
    for (const start of [0, 3])
      for (const make of [ArrayBuffer, SharedArrayBuffer]) {
        const from = new Uint8Array(new make(length + start)).subarray(start);
        from.set(numbered(length));
        for (const into of [new ArrayBuffer(length + 9), new SharedArrayBuffer(length + 9)]) {
          const to = new Uint8Array(into);
          copyBytes(from, to, 5);
          expect(Buffer.from(to.slice(5, 5 + length)).equals(numbered(length))).toBe(true);
          expect([...to.subarray(0, 5), ...to.subarray(5 + length)]).toEqual(new Array(9).fill(0));
        }
      }
});
