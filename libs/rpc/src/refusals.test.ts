import { describe, expect, it } from 'vitest';
import { boundedTimeout } from './refusals.ts';

describe('boundedTimeout', () => {
  it.each([
    ['1H', '1H'],
    ['596H', '596H'],
    ['597H', '596H'],
    ['99999999H', '596H'],
    ['35760M', '35760M'],
    ['35761M', '596H'],
    ['2145600S', '2145600S'],
    ['2145601S', '596H'],
    ['99999999m', '99999999m'],
    ['99999999n', '99999999n'],
    ['soon', 'soon'],
    ['', ''],
  ])('%s becomes %s', (header, bounded) => {
    expect(boundedTimeout(header)).toBe(bounded);
  });
});
