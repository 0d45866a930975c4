import { expect, it } from 'vitest';
import { routeReasons } from '@sluice/evidence/record';
import { reasonText } from './reason-text.ts';

const attempt = {
  arm: 'a',
  servedArm: 'a',
  rule: 'rule-1',
  fallbackStatus: 0,
  propensity: 1 / 3,
  attempt: 1,
  version: 4,
};

it('says in words why a request went where it did', () => {
  expect(routeReasons.map((reason) => reasonText({ ...attempt, reason }))).toEqual([
    'the release sends everything to "a"',
    'the hash of its unit key fell to "a" with probability 0.3333',
    '"a" was drawn with probability 0.3333, since the request has no unit key',
    'rule "rule-1" of the release sends it to "a"',
    'the request asked for arm "a" with sluice-arm',
    'the request named version 4, which bypasses the release',
    'its sequence had begun on "a"',
    'it is a copy for the shadow arm "a", made after the answer',
  ]);
  expect(reasonText({ ...attempt, reason: 'only-arm', attempt: 2, servedArm: 'b', fallbackStatus: 13 })).toBe(
    'the release sends everything to "a"; "a" failed with INTERNAL, and "b" served in its place; it is attempt 2: the one before was lost',
  );
});
