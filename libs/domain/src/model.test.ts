import { describe, expect, it } from 'vitest';
import { checkActor, checkModelSettings, defaultModelSettings } from './model.ts';

describe('model settings', () => {
  it('ask for one approval unless told otherwise', () => {
    expect(checkModelSettings(defaultModelSettings).approvalsRequired).toBe(1);
  });

  it.each([
    [{ approvalsRequired: 2 }, /^approvals_required: 2 given/],
    [{ approvalsRequired: -1 }, /^approvals_required/],
    [{ owner: 'x'.repeat(201) }, /^owner/],
    [{ description: 'x'.repeat(10_001) }, /^description/],
    [{ capture: { ...defaultModelSettings.capture, rate: 2 } }, /^capture\.rate: 2 given/],
  ])('refuse %j', (change, message) => {
    expect(() => checkModelSettings({ ...defaultModelSettings, ...change })).toThrow(message);
  });
});

describe('the actor', () => {
  it('is a short printable name', () => {
    expect(checkActor('ann')).toBe('ann');
    expect(checkActor('Zoë de la Cruz')).toBe('Zoë de la Cruz');
    const unseen = ['a\nb', 'a\u200bb', 'a\u2028', '\u202ea', ' a', 'a ', '\ud800'];
    for (const bad of ['', 'x'.repeat(129), ...unseen, 'registry', 'Registry'])
      expect(() => checkActor(bad)).toThrow(/^sluice-actor/);
  });
});
