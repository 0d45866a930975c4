import { expect, test } from 'vitest';
import { attackProblems } from './attack-job.ts';

const attacked = { fromMs: 100, toMs: 900, connections: 4, ended: 0 };

test('an attack must go on for all of what is measured', () => {
  expect(attackProblems(attacked, 100, 900)).toEqual([]);
  expect(attackProblems(attacked, 90, 900)).toEqual(['the attack began 10 ms too late']);
  expect(attackProblems(attacked, 100, 950)).toEqual(['the attack was over 50 ms too soon']);
  // Not all of its connections were made: JSON has null for the time at which they were.
  expect(attackProblems({ ...attacked, fromMs: null }, 100, 900)).toEqual(['the attack never had all its connections']);
});

test('nobody who attacks is no attack', () => {
  expect(attackProblems({ ...attacked, connections: 0 }, 100, 900)).toEqual(['nobody attacked']);
});
