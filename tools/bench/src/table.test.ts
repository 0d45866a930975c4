import { expect, test } from 'vitest';
import { row } from './row.ts';
import { figure, targetTable, textTable } from './table.ts';

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

test('a row without a target is only reported, and told when it is worth nothing', () => {
  const rows = [
    row('p99 under attack', 'ms', [5, 6, 7], [], { is: 'at most', value: 100 }),
    row('p99', 'ms', [2], [], undefined),
    row('p99 of nobody', 'ms', [2], ['nobody was there'], undefined),
  ];
  expect(targetTable(rows).split('\n').slice(2)).toEqual([
    'p99 under attack      6    5..7    <= 100      met',
    'p99                   2    2..2  reported',
    'p99 of nobody         2    2..2  reported  invalid',
  ]);
});
