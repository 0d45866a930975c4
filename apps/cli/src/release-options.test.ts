import { describe, expect, it } from 'vitest';
import { arm, modeOf, rule, withRoles } from './release-options.ts';

describe('arms', () => {
  it('are added to each other, with a role or without', () => {
    expect(arm('next=champion:0.5:candidate', arm('primary=3:90'))).toEqual([
      { name: 'primary', version: '3', weight: 90, role: undefined },
      { name: 'next', version: 'champion', weight: 0.5, role: 'candidate' },
    ]);
  });

  it.each([
    ['next', /^Expected NAME=VERSION:WEIGHT/],
    ['next=2', /^Expected NAME=VERSION:WEIGHT/],
    ['=2:1', /^Expected NAME=VERSION:WEIGHT/],
    ['next=2:1:shadow:x', /^Expected NAME=VERSION:WEIGHT/],
    ['next=2:many', /^WEIGHT is a number from 0 on, not "many"/],
    ['next=2:0x10', /^WEIGHT is a number from 0 on, not "0x10"/],
    ['next=2:1e3', /^WEIGHT is a number from 0 on/],
    ['next=2:-1', /^WEIGHT is a number from 0 on/],
    ['next=2:1:other', /^ROLE is primary, candidate, shadow, not "other"/],
  ])('are not written "%s"', (text, message) => {
    expect(() => arm(text)).toThrow(message);
  });

  it.each([
    [['a=1:1'], 'primary', 'fixed'],
    [['a=1:1', 'b=2:1'], 'primary candidate', 'ab'],
    [['a=1:1', 'b=2:1:primary'], 'candidate primary', 'ab'],
    [['a=1:0:shadow', 'b=2:1', 'c=3:1'], 'shadow primary candidate', 'ab'],
    [['a=1:0:shadow', 'b=2:1'], 'shadow primary', 'shadow'],
    [['a=1:1:candidate'], 'candidate', 'fixed'],
  ] as const)('%j have the roles %s and are %s', (texts, roles, mode) => {
    const arms = withRoles(texts.flatMap((text) => arm(text)));
    expect(arms.map(({ role }) => role).join(' ')).toBe(roles);
    expect(modeOf(arms)).toBe(mode);
  });
});

describe('rules', () => {
  it('may have colons and equals signs in their value', () => {
    const first = { metadataKey: 'x-region', equals: 'eu', arm: 'next' };
    expect(rule('x-url=https://a/?b=c:next', rule('x-region=eu:next'))).toEqual([
      first,
      { metadataKey: 'x-url', equals: 'https://a/?b=c', arm: 'next' },
    ]);
    for (const text of ['x-region', 'x-region=eu', 'x-region=:next', '=eu:next'])
      expect(() => rule(text), text).toThrow(/^Expected KEY=VALUE:ARM/);
  });
});
