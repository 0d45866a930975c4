import { servingDefaults } from '@sluice/domain/signature';
import { SluiceError } from '@sluice/domain/errors';
import type { VersionState } from '@sluice/domain/version';
import { describe, expect, it } from 'vitest';
import { emptyState, withModels, type ModelState } from '../watch/desired-state.ts';
import { WatchHub } from '../watch/hub.ts';
import { getAssignment } from './get-assignment.ts';
import type { StateReads } from './state.ts';

const pool = 'default';

interface Known {
  readonly modelBytes?: number;
  readonly device?: string;
  readonly quarantinedIn?: string;
}

function ports(state: VersionState, { modelBytes, device = '', quarantinedIn }: Known = {}) {
  const hub = new WatchHub();
  const reads = {
    model: async () => ({ name: 'digits' }),
    version: async (model: string, number: number) => ({
      ...{ model, number, state, digest: `d${number}`, files: [], graphPath: 'm.onnx' },
      serving: { ...servingDefaults, device },
      admission: modelBytes === undefined ? undefined : { modelBytes },
    }),
    quarantines: async (model: string) =>
      quarantinedIn === undefined ? [] : [{ model, version: 2, pool: quarantinedIn, reason: 'it crashed' }],
  } as unknown as StateReads;
  const read = <T>(fn: (reads: StateReads) => Promise<T>): Promise<T> => fn(reads);
  return { hub, ports: { watch: { hub }, state: { read } as never } };
}

describe('getAssignment', () => {
  it('gives what a placed version is told as, and what nothing holds of any other', async () => {
    const { hub, ports: given } = ports('ready', { modelBytes: 5 });
    const placed = { version: 1, heldBy: ['pin'], pinnedOnly: true, serving: servingDefaults };
    const model = { model: 'digits', changedRevision: 1, placed: [placed] } as unknown as ModelState;
    hub.publish({ desired: withModels(emptyState, [model]) });
    expect(await getAssignment(given, { model: 'digits', version: 1, pool })).toBe(placed);
    expect(await getAssignment(given, { model: 'digits', version: 2, pool })).toMatchObject({
      ...{ version: 2, digest: 'd2', heldBy: [], aliases: [], champion: false, pinnedOnly: false, modelBytes: 5 },
    });
  });

  it('does not know what admission measured of versions of before it did', async () => {
    expect((await getAssignment(ports('ready').ports, { model: 'digits', version: 2, pool })).modelBytes).toBe(0);
  });

  it.each(['admitting', 'rejected', 'deleted'] as const)('has nothing of a version that is %s', async (state) => {
    const asked = getAssignment(ports(state).ports, { model: 'digits', version: 2, pool });
    await expect(asked).rejects.toMatchObject({ kind: 'not-found' });
    await expect(asked).rejects.toBeInstanceOf(SluiceError);
  });

  it('has nothing for runtimes of a pool that the version is not for, placed or not', async () => {
    const { hub, ports: given } = ports('ready');
    const refusal = { kind: 'not-found', message: 'pool: digits version 2 is for pool default, not for pool gpu' };
    await expect(getAssignment(given, { model: 'digits', version: 2, pool: 'gpu' })).rejects.toMatchObject(refusal);
    const placed = { version: 2, heldBy: ['pin'], pinnedOnly: true, serving: servingDefaults };
    const model = { model: 'digits', changedRevision: 1, placed: [placed] } as unknown as ModelState;
    hub.publish({ desired: withModels(emptyState, [model]) });
    await expect(getAssignment(given, { model: 'digits', version: 2, pool: 'gpu' })).rejects.toMatchObject(refusal);
    const { ports: card } = ports('ready', { device: 'cuda' });
    expect(await getAssignment(card, { model: 'digits', version: 2, pool: 'gpu' })).toMatchObject({ version: 2 });
  });

  it.each(['default', 'gpu'])(
    'has nothing of a version that is quarantined in pool %s, whoever asks',
    async (where) => {
      const given = ports('ready', { device: 'cuda', quarantinedIn: where }).ports;
      for (const from of ['default', 'gpu'])
        await expect(getAssignment(given, { model: 'digits', version: 2, pool: from })).rejects.toMatchObject({
          kind: 'failed-precondition',
          message: expect.stringContaining('is quarantined: it crashed') as string,
        });
    },
  );
});
