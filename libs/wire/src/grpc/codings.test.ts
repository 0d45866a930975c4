import { expect, it } from 'vitest';
import { codings, isAccepted, isCoding } from './codings.ts';

it('three codings are known, by their names as they are written', () => {
  expect(codings.filter(isCoding)).toEqual(['identity', 'gzip', 'deflate']);
  for (const name of ['', 'GZIP', 'snappy', 'gzip, deflate', 'br', 'constructor']) expect(isCoding(name)).toBe(false);
});

it.each([
  ['gzip', true],
  ['identity,deflate,gzip', true],
  ['gzip,identity', true],
  ['identity, \t gzip \t,br', true],
  ['gzip-2,x-gzip,gzip', true],
  ['', false],
  ['gzip-2', false],
  ['x-gzip', false],
  ['identity gzip', false],
  ['gzip br', false],
  ['GZIP', false],
  ['gzipgzip', false],
])('a list has a coding where it stands by itself: %j', (list, has) => {
  expect(isAccepted(list, 'gzip')).toBe(has);
});
