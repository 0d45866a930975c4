import { describe, expect, it } from 'vitest';
import { labelLine } from './commands/models.ts';
import { labelSettings } from './label-options.ts';

describe('--labels', () => {
  it('says the whole policy', () => {
    expect(labelSettings('latest')).toEqual({ resolution: 'LABEL_RESOLUTION_LATEST', trustedSources: { names: [] } });
    expect(labelSettings('trusted=clinic, survey')).toEqual({
      resolution: 'LABEL_RESOLUTION_TRUSTED_FIRST',
      trustedSources: { names: ['clinic', 'survey'] },
    });
  });

  it.each(['', 'newest', 'trusted', 'trusted=', 'trusted=,', 'latest=a'])('is not "%s"', (text) => {
    expect(() => labelSettings(text)).toThrow(/^Expected latest, or trusted=SOURCE/);
  });

  it('is shown in words, an older registry too', () => {
    const trustedSources = ['clinic', 'survey'];
    expect(labelLine({ resolution: 'LABEL_RESOLUTION_TRUSTED_FIRST', trustedSources })).toBe(
      'of clinic, then survey; where none has one, the latest',
    );
    const latest = 'the latest, whoever it is from';
    expect(labelLine({ resolution: 'LABEL_RESOLUTION_LATEST', trustedSources })).toBe(latest);
    expect(labelLine(null)).toBe(latest);
  });
});
