import { expect, test } from 'vitest';
import { figure, textTable } from './table.ts';

test('figures have three digits and no exponent', () => {
  expect([1_234_567, 99.949, 0.012345, 5, NaN].map(figure)).toEqual(['1,234,567', '99.9', '0.0123', '5', '-']);
});

test('a table is padded: names to the left, figures to the right', () => {
  expect(
    textTable(
      ['row', 'req/s'],
      [
        ['small/echo/1', '7'],
        ['x', '20,000'],
      ],
    ),
  ).toBe(['row            req/s', '------------  ------', 'small/echo/1       7', 'x             20,000'].join('\n'));
});
