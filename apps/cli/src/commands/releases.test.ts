import type { CapturePolicy__Output } from '@sluice/contracts/gen/sluice/registry/v1/CapturePolicy';
import type { Release__Output } from '@sluice/contracts/gen/sluice/registry/v1/Release';
import { describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import { SluiceError } from '@sluice/domain/errors';
import { arm, rule, withRoles } from '../release-options.ts';
import { setAlias } from './aliases.ts';
import { keptFrom } from './kept-release.ts';
import { endRelease, putRelease } from './releases.ts';
import { captureLine, releaseFields, releaseLine } from './show-release.ts';

const capture: CapturePolicy__Output = {
  ...{ rate: 1, payload: false, request: false, durability: 'DURABILITY_BEST_EFFORT', retentionClass: 'standard' },
  ...{ maxPayloadBytes: '65536', redact: [] },
};
const of = { versionDigest: 'd', weight: 1 };
const release: Release__Output = {
  ...{ id: 'm@17', model: 'm', mode: 'RELEASE_MODE_CANARY', seedId: 'm/1', policyVersion: '0', revision: '17' },
  arms: [
    { ...of, name: 'primary', version: '3', role: 'ARM_ROLE_PRIMARY', propensity: 2 / 3 },
    { ...of, name: 'next', version: '4', role: 'ARM_ROLE_CANDIDATE', propensity: 1 / 3 },
    { ...of, name: 'mirror', version: '5', role: 'ARM_ROLE_SHADOW', propensity: 1 },
  ],
  rules: [{ id: 'rule-1', metadataKey: 'x-region', equals: 'eu', arm: 'next' }],
  ...{ capture, implicit: false, ownCapture: true },
};

describe('a release in words', () => {
  it('has arms with their shares, rules, and whose capture policy it is', () => {
    const arms =
      'canary: version 3 (primary, 66.67 %), version 4 (candidate "next", 33.33 %), version 5 (shadow "mirror", a copy of every request)';
    expect(releaseLine(release)).toBe(arms);
    expect(releaseFields(release)).toEqual([
      ['model', 'm'],
      ['release', 'm@17, made by a person: champion and pins do not move it'],
      ['arms', arms],
      ['rules', 'rule-1: x-region "eu" goes to next'],
      ['capture', `${captureLine(capture)}; its own`],
      ['seed', 'm/1'],
      ['revision', '17'],
    ]);
    const implicit = { ...release, implicit: true, ownCapture: false, arms: release.arms.slice(0, 1) };
    expect(releaseLine(implicit)).toMatch(/, implicit$/);
    expect(releaseFields(implicit)).toEqual(
      expect.arrayContaining([
        ['release', 'm@17'],
        ['capture', `${captureLine(capture)}; the model's`],
      ]),
    );
    expect([releaseLine(null), captureLine(null)]).toEqual(['', '']);
  });

  it.each<[Partial<CapturePolicy__Output>, string]>([
    [
      {},
      '100 % of predictions, no requests, responses up to 1 KiB of versions with a task, payloads up to 64.0 KiB, kept standard, best-effort',
    ],
    [
      { ...{ rate: 0.1, request: true, response: true, redact: ['age', 'x'] }, durability: 'DURABILITY_DURABLE' },
      '10 % of predictions, requests, responses, payloads up to 64.0 KiB, kept standard, durable, redacted: age, x',
    ],
    [{ response: false }, '100 % of predictions, no requests, no responses, kept standard, best-effort'],
  ])('says of capture %j: %s', (changes, words) => {
    expect(captureLine({ ...capture, ...changes })).toBe(words);
  });

  it('says of the capture of an older registry what it meant', () => {
    const { request, ...older } = capture;
    expect(request).toBe(false);
    expect(captureLine(older)).toMatch(/, no requests, responses up to 1 KiB/);
    expect(captureLine({ ...older, payload: true })).toMatch(/predictions, requests, responses, payloads/);
  });
});

/** A registry that keeps what it is asked; the model has the release above. */
function setUp() {
  const asked: Record<string, unknown>[] = [];
  const out: string[] = [];
  const notes: string[] = [];
  const keep = (answer: object) => async (request: Record<string, unknown>) => {
    asked.push(request);
    return answer;
  };
  const registry = {
    getModel: async () => ({ model: { aliases: [] }, release }),
    getVersion: async ({ version }: { version: string }) => {
      if (version === 'nope') throw new SluiceError('not-found', 'version: m has no alias nope');
      return { version: { number: version === 'champion' ? '3' : '9' } };
    },
    putRelease: keep({ release }),
    endRelease: keep({ release: null }),
    moveAlias: keep({ move: { model: 'm', alias: 'champion', fromVersion: '2', toVersion: '1' } }),
  };
  const context = {
    json: false,
    signal: new AbortController().signal,
    terminal: { out: (text: string) => out.push(text), note: (text: string) => notes.push(text) },
    services: { registry },
  } as unknown as CliContext;
  return { context, asked, out, notes };
}

describe('a change of a release', () => {
  it('goes with the revision of when the command began, and with the numbers of aliases', async () => {
    const { context, asked } = setUp();
    const dropping = { rules: false, ownCapture: false };
    await putRelease(context, 'm', { arm: arm('next=4:10', arm('primary=champion:90')), ...dropping });
    await putRelease(context, 'm', { arm: arm('primary=3:1'), ...dropping, seed: 's', expectedRevision: '5' });
    await endRelease(context, 'm', {});
    expect(asked).toEqual([
      {
        ...{ model: 'm', expectedRevision: '17', mode: 'RELEASE_MODE_CANARY', seedId: '', rules: [] },
        arms: [
          { name: 'primary', version: '3', role: 'ARM_ROLE_PRIMARY', weight: 90 },
          { name: 'next', version: '4', role: 'ARM_ROLE_CANDIDATE', weight: 10 },
        ],
      },
      {
        ...{ model: 'm', expectedRevision: '5', mode: 'RELEASE_MODE_FIXED', seedId: 's', rules: [] },
        arms: [{ name: 'primary', version: '3', role: 'ARM_ROLE_PRIMARY', weight: 1 }],
      },
      { model: 'm', expectedRevision: '17' },
    ]);
    await expect(putRelease(context, 'm', {})).rejects.toThrow('no arms');
  });

  it('keeps the rules, the mode and the capture policy that nobody speaks of, and says so', async () => {
    const { context, asked, notes } = setUp();
    const arms = arm('next=4:10', arm('primary=3:90'));
    await putRelease(context, 'm', { arm: arms });
    const kept = {
      ...{ rate: 1, request: false, response: 'RESPONSE_CAPTURE_SMALL', maxPayloadBytes: '65536' },
      ...{ durability: 'DURABILITY_BEST_EFFORT', retentionClass: 'standard', redact: { names: [] } },
    };
    expect(asked.at(-1)).toMatchObject({ mode: 'RELEASE_MODE_CANARY', rules: release.rules, capture: kept });
    expect(notes).toEqual([
      'kept from the release before: mode canary (--mode), 1 rule (--rule or --no-rules), its own capture policy (--capture or --no-own-capture)',
    ]);
    await putRelease(context, 'm', { arm: arms, mode: 'ab', rule: rule('x-a=b:next'), redact: ['age'] });
    expect(asked.at(-1)).toMatchObject({
      ...{ mode: 'RELEASE_MODE_AB', rules: [{ metadataKey: 'x-a', equals: 'b', arm: 'next' }] },
      capture: { ...kept, redact: { names: ['age'] } },
    });
    // A canary has one candidate: with two the mode follows from the arms.
    await putRelease(context, 'm', { arm: arm('other=5:1', arms), rules: false, ownCapture: false });
    expect(asked.at(-1)).toMatchObject({ mode: 'RELEASE_MODE_AB', rules: [] });
    expect(asked.at(-1)).not.toHaveProperty('capture');
    expect(notes).toHaveLength(2);
    for (const wrong of [
      { rules: false, rule: rule('x-a=b:next') },
      { ownCapture: false, redact: ['age'] },
    ])
      await expect(putRelease(context, 'm', { arm: arms, ...wrong })).rejects.toThrow(/^--no-/);
  });

  it('keeps nothing of a release that nobody made, nor of the fields that an older registry does not know', () => {
    const arms = withRoles(arm('primary=3:1'));
    const nothing = { mode: 'fixed', rules: [], capture: undefined, words: '' };
    expect(keptFrom(null, arms, {}, undefined)).toEqual(nothing);
    expect(keptFrom({ ...release, implicit: true }, arms, {}, undefined)).toEqual(nothing);
    const { request, ...older } = capture;
    expect(request).toBe(false);
    const kept = keptFrom({ ...release, capture: { ...older, payload: true } }, arms, {}, { rate: 0.5 });
    expect(kept.capture).toMatchObject({ rate: 0.5, request: true, response: 'RESPONSE_CAPTURE_ALL' });
  });

  it('names the arm whose version is not there', async () => {
    const { context, asked } = setUp();
    const put = async (text: string) => putRelease(context, 'm', { arm: arm(text, arm('primary=3:90')) });
    await expect(put('b=nope:10')).rejects.toThrow('--arm b=nope: version: m has no alias nope');
    await expect(put('b=NOPE:10')).rejects.toThrow(/^--arm b=NOPE: VERSION: "NOPE" is neither/);
    expect(asked).toEqual([]);
  });

  it('is not what moving champion is, which is said', async () => {
    const { context, notes, out } = setUp();
    const moved = { wait: false, timeoutSeconds: 1 };
    await setAlias(context, 'm', 'other', '3', moved);
    expect(notes).toEqual([]);
    await setAlias(context, 'm', 'champion', '3', moved);
    expect(notes).toEqual([
      expect.stringMatching(/^m has a release that a person made: moving champion does not move what answers/),
    ]);
    await endRelease(context, 'm', {});
    expect(out.at(-1)).toBe('m: ended; m has neither a release nor champion nor a pin: nothing answers');
  });
});
