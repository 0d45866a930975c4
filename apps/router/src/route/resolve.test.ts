import { SluiceError } from '@sluice/domain/errors';
import { readInferResponse } from '@sluice/inference/infer-response';
import { modelOverride } from '@sluice/inference/rewrite';
import { describe, expect, it } from 'vitest';
import { draws, modelRoute, wireRelease } from '../../test/routes.ts';
import { capturePolicyOf, existingVersion, placedVersion, resolveRoute } from './resolve.ts';
import { applyUpdate } from './table.ts';
import type { ModelRoute, RouteTable } from './table.ts';

const digits = modelRoute({ aliases: { champion: 3, mlp: 2 }, release: 3, placed: [2, 3], unplaced: [1] });
const table: RouteTable = { revision: 7, models: new Map([['digits', digits]]) };
const noHints = { arm: undefined, unit: undefined };
const bare = { metadata: () => undefined };

function refusal(version: string, given = table, model = 'digits', arm?: string): string {
  try {
    resolveRoute(given, model, version, { arm, unit: undefined }, bare, draws(0));
  } catch (error) {
    if (error instanceof SluiceError) return `${error.kind}: ${error.message}`;
  }
  return 'no refusal';
}

describe('resolveRoute', () => {
  it('goes to the release without a version, and past it with a number or an alias', () => {
    const route = (version: string) => resolveRoute(table, 'digits', version, noHints, bare, draws(0));
    expect([route('').version.number, route('').choice?.arm.name]).toEqual([3, 'primary']);
    expect([route('2').version.number, route('2').choice]).toEqual([2, undefined]);
    expect([route('mlp').version.number, route('mlp').choice]).toEqual([2, undefined]);
    expect(route('champion').version.key).toBe('digits@3');
  });

  it('names what is unknown', () => {
    expect(refusal('', table, 'wdbc')).toBe("not-found: Request for unknown model: 'wdbc' is not found");
    expect(refusal('9')).toBe("not-found: Request for unknown model: 'digits' version 9 is not found");
    expect(refusal('best')).toBe(
      "not-found: Request for unknown model: 'digits' has no version or alias 'best': failed to get model version from specified version string 'best'",
    );
    expect(refusal('', table, '')).toBe('invalid-argument: model_name: expected the name of a model, got nothing');
    expect(refusal('Best!')).toBe('invalid-argument: model_version: "Best!" is neither a version number nor an alias');
  });

  it('goes to a version that is not placed too, of which no more is known than that it exists', () => {
    const { version } = resolveRoute(table, 'digits', '1', noHints, bare, draws(0));
    expect(version).toMatchObject({ model: 'digits', number: 1, text: '1', key: 'digits@1', placed: false });
    expect(version.override).toEqual(modelOverride({ modelVersion: '1' }));
    // The same for every request, since what is counted is kept for it.
    expect(resolveRoute(table, 'digits', '1', noHints, bare, draws(0)).version).toBe(version);
    expect(existingVersion(digits, 3)).toBe(digits.placed.get(3));
    expect(() => placedVersion(digits, 1)).toThrow(
      'digits version 1 is not placed: give it an alias or `sluice pin`; requests load it',
    );
  });

  it('says why a version is quarantined and what to do, whoever asks for it; the alias stays where it is', () => {
    const facts = { aliases: { champion: 3 }, release: 3, unplaced: [3], quarantined: { 3: 'it ended two runtimes' } };
    const held: RouteTable = { revision: 1, models: new Map([['digits', modelRoute(facts)]]) };
    const why =
      'digits version 3 is quarantined: it ended two runtimes; serve another version, ' +
      'or let it be loaded again with `sluice quarantine lift digits 3`';
    for (const asked of ['', '3', 'champion']) {
      const { version, quarantine } = resolveRoute(held, 'digits', asked, noHints, bare, draws(0));
      // Its requests count as its own.
      expect(version).toMatchObject({ key: 'digits@3', placed: false });
      expect(quarantine).toMatchObject({ kind: 'failed-precondition', message: why });
    }
    expect(() => existingVersion(held.models.get('digits')!, 3)).toThrow(why);
    expect(resolveRoute(table, 'digits', '', noHints, bare, draws(0)).quarantine).toBeUndefined();
  });

  it('says what to do about a model without champion and pin', () => {
    const without: RouteTable = { revision: 1, models: new Map([['digits', modelRoute({ unplaced: [1] })]]) };
    expect(refusal('', without)).toContain('failed-precondition: digits has no champion and no pinned version');
    expect(refusal('', without)).toContain('`sluice alias set digits champion VERSION`');
  });

  it('says that there are no routes yet', () => {
    expect(() => resolveRoute(undefined, 'digits', '', noHints, bare, draws(0))).toThrow(
      'this router has no routes yet',
    );
  });

  it('takes the forced arm, if it exists and no version was named', () => {
    const hints = { arm: 'primary', unit: undefined };
    expect(resolveRoute(table, 'digits', '', hints, bare, draws(0)).choice?.arm.name).toBe('primary');
    expect(refusal('', table, 'digits', 'blue')).toBe(
      "invalid-argument: metadata sluice-arm: the release of digits has no arm 'blue' that answers; expected 'primary'",
    );
    expect(refusal('2', table, 'digits', 'primary')).toContain('goes to no arm; send one of the two');
  });
});

describe('capturePolicyOf', () => {
  const policyOf = (facts: Parameters<typeof modelRoute>[0]) =>
    capturePolicyOf({ revision: 7, models: new Map([['digits', modelRoute(facts)]]) }, 'digits');
  const capture = { ...wireRelease('digits', 3).capture!, rate: 0.25 };

  it('is what the release says, and without one what the model says', () => {
    expect(policyOf({ capture, aliases: { mlp: 2 }, placed: [2] })?.rate).toBe(0.25);
    expect(policyOf({ capture, release: 3, placed: [3] })?.rate).toBe(1);
    expect(capturePolicyOf(table, 'other')).toBe(undefined);
    expect(capturePolicyOf(undefined, 'digits')).toBe(undefined);
  });
});

describe('applyUpdate', () => {
  const other = modelRoute({ model: 'wdbc', placed: [1] });
  const update = { revision: 8, snapshot: false, models: [other], removed: [] };

  it('changes only what is named and leaves the old table as it was', () => {
    const next = applyUpdate(table, update)!;
    expect([...next.models.keys()]).toEqual(['digits', 'wdbc']);
    expect(next.revision).toBe(8);
    expect([...table.models.keys()]).toEqual(['digits']);
    expect([...applyUpdate(next, { ...update, models: [], removed: ['digits'] })!.models.keys()]).toEqual(['wdbc']);
  });

  it('replaces everything by a snapshot, also with an older revision, and needs one to begin with', () => {
    expect([...applyUpdate(table, { ...update, revision: 3, snapshot: true })!.models.keys()]).toEqual(['wdbc']);
    expect(applyUpdate(undefined, update)).toBeUndefined();
  });

  it('prepares what is appended to requests and answers', () => {
    const model: ModelRoute = table.models.get('digits')!;
    expect(Buffer.from(model.placed.get(3)!.override).toString('latin1')).toBe('\x12\x013');
    expect(readInferResponse(model.release!.arms[0]!.parameter).parameters.get('sluice_arm')).toEqual({
      kind: 'string',
      value: 'primary',
    });
  });
});
