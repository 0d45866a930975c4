import { describe, expect, it } from 'vitest';
import type { PlannedArm, ReleasePlan } from './release-plan.ts';
import { armsOf, checkReleasePlan } from './release-plan.ts';
import type { Rule } from './release.ts';

const primary: PlannedArm = { name: 'primary', version: 1, role: 'primary', weight: 90 };
const next: PlannedArm = { name: 'next', version: 2, role: 'candidate', weight: 10 };
const third: PlannedArm = { name: 'third', version: 3, role: 'candidate', weight: 1 };
const mirror: PlannedArm = { name: 'mirror', version: 3, role: 'shadow', weight: 0 };
const rule: Rule = { id: 'r', metadataKey: 'x-region', equals: 'eu', arm: 'next' };
const plan = (changes: Partial<ReleasePlan> = {}): ReleasePlan => ({
  mode: 'canary',
  arms: [primary, next],
  rules: [],
  seedId: '',
  ...changes,
});
const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));

describe('a plan of a release', () => {
  it.each<[string, Partial<ReleasePlan>]>([
    ['one arm', { mode: 'fixed', arms: [primary] }],
    ['two that answer', { mode: 'ab' }],
    ['three that answer and a shadow', { mode: 'ab', arms: [primary, next, third, { ...mirror, version: 4 }] }],
    ['a version against itself', { mode: 'ab', arms: [primary, { ...next, version: 1 }] }],
    ['a candidate', {}],
    ['a candidate and shadows', { arms: [mirror, next, primary] }],
    ['a candidate that gets nothing yet', { arms: [primary, { ...next, weight: 0 }] }],
    ['a primary that gets nothing any more', { arms: [{ ...primary, weight: 0 }, next] }],
    [
      'the smallest and the largest weight',
      {
        arms: [
          { ...primary, weight: 1e6 },
          { ...next, weight: 1e-6 },
        ],
      },
    ],
    ['a shadow', { mode: 'shadow', arms: [primary, mirror] }],
    ['most arms', { mode: 'ab', arms: [primary, ...many(15, (at) => ({ ...next, name: `a${at}` }))] }],
    ['most rules', { rules: many(64, (at) => ({ ...rule, id: `r${at}` })) }],
    ['a rule to the primary', { rules: [{ ...rule, metadataKey: 'a.b_c-9', equals: 'a b', arm: 'primary' }] }],
    ['a seed', { seedId: 'digits/2' }],
  ])('may have %s', (_, changes) => {
    expect(() => checkReleasePlan(plan(changes))).not.toThrow();
  });

  it.each<[Partial<ReleasePlan>, string | RegExp]>([
    [{ arms: [] }, 'arms: 0 given; expected 1 to 16'],
    [{ arms: [primary, ...many(16, (at) => ({ ...next, name: `a${at}` }))] }, 'arms: 17 given; expected 1 to 16'],
    [
      { arms: [primary, { ...next, name: '2nd' }] },
      /^arms\[1\]\.name: "2nd" is not the name of an arm; expected a letter/,
    ],
    [{ arms: [{ ...primary, name: '' }, next] }, /^arms\[0\]\.name: ""/],
    [{ arms: [primary, { ...next, name: 'primary' }] }, 'arms[1].name: "primary" is given twice'],
    [{ arms: [{ ...primary, role: 'candidate' }, next] }, 'arms: none is the primary; expected exactly one'],
    [{ arms: [primary, { ...next, role: 'primary' }] }, 'arms[1].role: arms[0] is the primary already; expected one'],
    [{ arms: [primary, { ...next, weight: -1 }] }, 'arms[1].weight: -1 given; expected 0, or 0.000001 to 1000000'],
    [{ arms: [primary, { ...next, weight: Number.NaN }] }, /^arms\[1\]\.weight: NaN given/],
    [{ arms: [primary, { ...next, weight: Infinity }] }, /^arms\[1\]\.weight: Infinity given/],
    [{ arms: [primary, { ...next, weight: 1e-7 }] }, /^arms\[1\]\.weight: 1e-7 given/],
    [{ arms: [{ ...primary, weight: 1_000_001 }, next] }, /^arms\[0\]\.weight: 1000001 given/],
    [
      {
        arms: [
          { ...primary, weight: 0 },
          { ...next, weight: 0 },
        ],
      },
      /^arms: the weights .* add up to 0/,
    ],
    [{ mode: 'shadow', arms: [{ ...primary, weight: 0 }, mirror] }, /^arms: the weights .* add up to 0/],
    [
      { arms: [primary, next, { ...mirror, weight: 1 }] },
      /^arms\[2\]\.weight: 1 given; a shadow gets a copy .* no weight$/,
    ],
    [
      { mode: 'fixed' },
      'arms: 2 given, 1 of them candidates and 0 shadows; a release of mode fixed has the primary alone',
    ],
    [{ mode: 'fixed', arms: [primary, mirror] }, /of mode fixed has the primary alone$/],
    [{ mode: 'ab', arms: [primary, mirror] }, /of mode ab has two or more arms that answer$/],
    [{ arms: [primary] }, /of mode canary has the primary and one candidate, and may have shadows$/],
    [{ arms: [primary, next, third] }, /of mode canary has the primary and one candidate/],
    [{ mode: 'shadow', arms: [primary] }, /of mode shadow has the primary and one or more shadows$/],
    [{ mode: 'shadow', arms: [primary, next, mirror] }, /of mode shadow has the primary and one or more shadows$/],
    [{ rules: many(65, (at) => ({ ...rule, id: `r${at}` })) }, 'rules: 65 given; expected at most 64'],
    [{ rules: [rule, { ...rule, id: 'a b' }] }, /^rules\[1\]\.id: "a b" given; expected 1 to 64/],
    [{ rules: [rule, rule] }, 'rules[1].id: "r" is given twice'],
    [{ rules: [{ ...rule, arm: 'other' }] }, 'rules[0].arm: "other" is none of the arms; expected primary, next'],
    [
      { arms: [primary, next, mirror], rules: [{ ...rule, arm: 'mirror' }] },
      'rules[0].arm: "mirror" is a shadow, which never answers; expected primary, next',
    ],
    [{ rules: [{ ...rule, metadataKey: 'X-Region' }] }, /^rules\[0\]\.metadata_key: "X-Region" is no metadata key/],
    [{ rules: [{ ...rule, metadataKey: ':path' }] }, /^rules\[0\]\.metadata_key: ":path" is no metadata key/],
    [{ rules: [{ ...rule, metadataKey: '' }] }, /^rules\[0\]\.metadata_key: "" is no metadata key/],
    [{ rules: [{ ...rule, metadataKey: 'x'.repeat(129) }] }, /^rules\[0\]\.metadata_key: .* expected 1 to 128/],
    [{ rules: [{ ...rule, metadataKey: 'sluice-unit' }] }, /^rules\[0\]\.metadata_key: "sluice-unit" is reserved/],
    [{ rules: [{ ...rule, metadataKey: 'grpc-timeout' }] }, /^rules\[0\]\.metadata_key: "grpc-timeout" is reserved/],
    [{ rules: [{ ...rule, metadataKey: 'trace-bin' }] }, /^rules\[0\]\.metadata_key: "trace-bin" ends with -bin/],
    [{ rules: [{ ...rule, equals: '' }] }, /^rules\[0\]\.equals: "" given; expected 1 to 256 printable ASCII/],
    [{ rules: [{ ...rule, equals: ' eu' }] }, /^rules\[0\]\.equals: " eu" given/],
    [{ rules: [{ ...rule, equals: 'é' }] }, /^rules\[0\]\.equals: "é" given/],
    [{ rules: [{ ...rule, equals: 'x'.repeat(257) }] }, /^rules\[0\]\.equals: /],
    [{ seedId: 'a b' }, /^seed_id: "a b" given; expected at most 200/],
    [{ seedId: 'x'.repeat(201) }, /^seed_id: /],
  ])('is refused: %j', (changes, message) => {
    expect(() => checkReleasePlan(plan(changes))).toThrow(message);
  });

  it('is not implemented for a bandit, which needs a controller', () => {
    expect(() => checkReleasePlan(plan({ mode: 'bandit' }))).toThrow(
      expect.objectContaining({ kind: 'unimplemented', message: expect.stringMatching(/^mode: bandit/) as string }),
    );
  });

  it('gives each arm that answers its share, and shadows everything', () => {
    const arms = armsOf(plan({ arms: [primary, { ...next, weight: 30 }, mirror] }), (version) => `sha-${version}`);
    expect(arms).toEqual([
      { ...primary, propensity: 0.75, versionDigest: 'sha-1' },
      { ...next, weight: 30, propensity: 0.25, versionDigest: 'sha-2' },
      { ...mirror, propensity: 1, versionDigest: 'sha-3' },
    ]);
  });
});
