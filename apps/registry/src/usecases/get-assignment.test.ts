import { SluiceError } from '@sluice/domain/errors';
import type { VersionState } from '@sluice/domain/version';
import { describe, expect, it } from 'vitest';
import { emptyState, withModels, type ModelState } from '../watch/desired-state.ts';
import { WatchHub } from '../watch/hub.ts';
import { getAssignment } from './get-assignment.ts';
import type { StateReads } from './state.ts';

const pool = 'default';

function ports(state: VersionState, modelBytes?: number) {
  const hub = new WatchHub();
  const reads = {
    model: async () => ({ name: 'digits' }),
    version: async (model: string, number: number) => ({
      ...{ model, number, state, digest: `d${number}`, files: [], graphPath: 'm.onnx' },
      admission: modelBytes === undefined ? undefined : { modelBytes },
    }),
  } as unknown as StateReads;
  const read = <T>(fn: (reads: StateReads) => Promise<T>): Promise<T> => fn(reads);
  return { hub, ports: { watch: { hub }, state: { read } as never } };
}

describe('getAssignment', () => {
  it('gives what a placed version is told as, and what nothing holds of any other', async () => {
    const { hub, ports: given } = ports('ready', 5);
    const placed = { version: 1, heldBy: ['pin'], pinnedOnly: true };
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

  it('has nothing for runtimes of other pools, which load no models', async () => {
    const asked = getAssignment(ports('ready').ports, { model: 'digits', version: 2, pool: 'gpu' });
    await expect(asked).rejects.toMatchObject({ kind: 'not-found' });
  });
});
