import { describe, expect, it } from 'vitest';
import { wayHere } from './rollback.ts';

const set = (version: number) => ({ version, rollback: false });
const back = (version: number) => ({ version, rollback: true });

describe('the way to where an alias is', () => {
  it.each([
    ['nothing happened', [], []],
    ['versions followed each other', [set(1), set(2), set(3)], [1, 2, 3]],
    ['one rollback', [set(1), set(2), set(3), back(2)], [1, 2]],
    ['two rollbacks', [set(1), set(2), set(3), back(2), back(1)], [1]],
    ['a version after a rollback', [set(1), set(2), back(1), set(3)], [1, 3]],
    ['the version that a rollback left, chosen again', [set(1), set(2), back(1), set(2)], [1, 2]],
    ['an older version that a person chose', [set(1), set(2), set(1)], [1, 2, 1]],
  ])('%s', (_, history, way) => expect(wayHere(history)).toEqual(way));
});
