import { expect, test } from 'vitest';
import { daysTouched } from './plan.ts';

const scan = (relation: string) => ({ 'Node Type': 'Index Scan', 'Relation Name': relation });

test('partitions that a plan reads are found however deep they lie, by class', () => {
  const plans = [scan('evidence_short_20261128'), { 'Node Type': 'Append', Plans: [scan('evidence_long_20261128')] }];
  const plan = [{ Plan: { 'Node Type': 'Append', Plans: plans } }];
  expect(daysTouched(plan)).toEqual({ short: ['evidence_short_20261128'], long: ['evidence_long_20261128'] });
});

test('two days of a class are two, one that is read twice is one, and other tables are none', () => {
  const names = [
    'evidence_standard_1',
    'evidence_standard_2',
    'evidence_standard_1',
    'evidence_skewed',
    'label_short_1',
  ];
  expect(daysTouched([{ Plan: { Plans: names.map(scan) } }])).toEqual({
    standard: ['evidence_standard_1', 'evidence_standard_2'],
  });
});

test('a plan that reads nothing has none', () => {
  expect(daysTouched([{ Plan: { 'Node Type': 'Result' } }])).toEqual({});
});
