import { describe, expect, it } from 'vitest';
import { changeLabels, checkLabels, defaultLabels, sameLabels, type LabelPolicy } from './label-policy.ts';

const trusted: LabelPolicy = { resolution: 'trusted-first', trustedSources: ['clinic', 'survey'] };

describe('changeLabels', () => {
  it('changes what is given and nothing else', () => {
    expect(changeLabels(trusted, { resolution: 'latest' })).toEqual({ ...trusted, resolution: 'latest' });
    expect(changeLabels(trusted, { trustedSources: ['a'] })).toEqual({ ...trusted, trustedSources: ['a'] });
    expect(changeLabels(defaultLabels, trusted)).toEqual(trusted);
  });

  it('gives the same object where nothing changes', () => {
    expect(changeLabels(trusted, undefined)).toBe(trusted);
    expect(changeLabels(trusted, { trustedSources: ['clinic', 'survey'] })).toBe(trusted);
    expect(changeLabels(trusted, { trustedSources: ['survey', 'clinic'] })).not.toBe(trusted);
    expect(sameLabels(trusted, { ...trusted, resolution: 'latest' })).toBe(false);
  });
});

describe('checkLabels', () => {
  it('takes up to 32 sources of up to 200 bytes, and LATEST without any', () => {
    checkLabels(defaultLabels);
    checkLabels({ ...trusted, trustedSources: Array.from({ length: 32 }, (_, at) => `${at}`.padEnd(200, 'x')) });
  });

  it.each<[Partial<LabelPolicy>, RegExp]>([
    [{ trustedSources: [] }, /^labels\.trusted_sources: empty/],
    [{ trustedSources: ['a', ''] }, /name 2 has 0 bytes/],
    [{ trustedSources: ['ä'.repeat(101)] }, /name 1 has 202 bytes/],
    [{ trustedSources: ['a', 'b', 'a'] }, /"a" is given twice/],
    [{ trustedSources: Array.from({ length: 33 }, (_, at) => `${at}`) }, /33 names given/],
  ])('refuses %j', (changes, message) => {
    expect(() => checkLabels({ ...trusted, ...changes })).toThrow(message);
  });
});
