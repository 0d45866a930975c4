import type { Release } from '@sluice/domain/release';
import { requireModel } from './lookups.ts';
import type { StateAsOf } from './records.ts';
import type { RegistryState } from './state.ts';

/** Aliases, versions and release of a model as they were at a time, in milliseconds since the epoch. */
export async function stateAsOf(
  state: RegistryState,
  request: { readonly model: string; readonly time: number },
): Promise<StateAsOf & { readonly release: Release | undefined }> {
  return state.read(async (reads) => {
    const model = await requireModel(reads, request.model);
    const { aliases, versions } = await reads.aliasesAndVersionsAsOf(model.name, request.time);
    return { aliases, versions, release: await reads.releaseAsOf(model.name, request.time) };
  });
}
