import { describe, expect, it } from 'vitest';
import { decimal, positive, revision } from './options.ts';

describe('decimal', () => {
  it.each([
    ['0', 0],
    ['0.10', 0.1],
    ['.5', 0.5],
    ['12.', 12],
  ])('reads "%s"', (text, value) => {
    expect(decimal(text)).toBe(value);
  });

  it.each(['', '0x1', '1e3', '-1', '+1', ' 1', '1 ', 'Infinity', '0b1', '.', '1_000'])('is not "%s"', (text) => {
    expect(decimal(text)).toBeNaN();
    expect(() => positive(text)).toThrow(/^Expected a number above 0/);
  });
});

describe('revision', () => {
  it('is a whole number that no double rounds', () => {
    expect(revision('9007199254740991')).toBe('9007199254740991');
    for (const text of ['9007199254740992', '18446744073709551616', '18446744073709551617', '-1', '1.5', '0x1', ''])
      expect(() => revision(text), text).toThrow(/^Expected a revision: a whole number of at most 9007199254740991/);
  });
});
