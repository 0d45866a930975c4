import { describe, expect, it } from 'vitest';
import { defaultCapture, implicitRelease, sameSplit } from './release.ts';

const facts = {
  model: 'digits',
  champion: 3 as number | undefined,
  pins: [1, 5],
  digestOf: (version: number): string => `sha-${version}`,
  revision: 17,
};

describe('the implicit release', () => {
  it('sends everything to champion', () => {
    expect(implicitRelease(facts)).toEqual({
      id: 'digits@17',
      model: 'digits',
      mode: 'fixed',
      arms: [{ name: 'primary', version: 3, role: 'primary', weight: 1, propensity: 1, versionDigest: 'sha-3' }],
      rules: [],
      capture: {
        ...{ rate: 1, request: false, response: 'small', maxPayloadBytes: 65_536, durability: 'best-effort' },
        ...{ retentionClass: 'standard', redact: [] },
      },
      seedId: 'digits/1',
      policyVersion: 0,
      revision: 17,
      implicit: true,
    });
  });

  it('sends everything to the highest pinned version when there is no champion', () => {
    expect(implicitRelease({ ...facts, champion: undefined })?.arms[0]?.version).toBe(5);
  });

  it('does not exist without champion and pins', () => {
    expect(implicitRelease({ ...facts, champion: undefined, pins: [] })).toBeUndefined();
  });
});

describe('two releases', () => {
  it('are the same split when only their revision differs', () => {
    expect(sameSplit(implicitRelease(facts), implicitRelease({ ...facts, revision: 20 }))).toBe(true);
    expect(sameSplit(undefined, undefined)).toBe(true);
  });

  it('differ by version, digest, capture or presence', () => {
    const release = implicitRelease(facts);
    expect(sameSplit(release, implicitRelease({ ...facts, champion: 1 }))).toBe(false);
    expect(sameSplit(release, implicitRelease({ ...facts, digestOf: () => 'x' }))).toBe(false);
    expect(sameSplit(release, implicitRelease({ ...facts, capture: { ...defaultCapture, rate: 0.5 } }))).toBe(false);
    const redacting = { ...defaultCapture, redact: ['age'] };
    expect(sameSplit(release, implicitRelease({ ...facts, capture: redacting }))).toBe(false);
    expect(sameSplit(release, { ...release!, ownCapture: true })).toBe(false);
    expect(sameSplit(release, { ...release!, ownCapture: false })).toBe(true);
    expect(sameSplit(release, undefined)).toBe(false);
  });
});
