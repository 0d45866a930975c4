import { describe, expect, it } from 'vitest';
import { inParts, partBytesFor } from './parts.ts';

const split = (sizes: readonly number[], limit: number) =>
  [...inParts(sizes, (size) => size, limit)].map(({ items, more }) => [items.join('+'), more]);

it('watchers of protocol 1, which know no parts, get every update whole', () => {
  expect([1, 2, 3].map(partBytesFor)).toEqual([Infinity, 4 * 1024 * 1024, 4 * 1024 * 1024]);
});

describe('parts of a list', () => {
  it.each([
    { sizes: [], parts: [['', false]] },
    { sizes: [10], parts: [['10', false]] },
    { sizes: [4, 6], parts: [['4+6', false]] },
    { sizes: [4, 7], parts: [['4', true], ['7', false]] }, // oxfmt-ignore
    { sizes: [30, 1, 30], parts: [['30', true], ['1', true], ['30', false]] }, // oxfmt-ignore
  ])('of at most 10 bytes: $sizes', ({ sizes, parts }) => {
    expect(split(sizes, 10)).toEqual(parts);
  });
});
