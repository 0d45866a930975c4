import type { Release } from '@sluice/domain/release';
import { requireModel } from './lookups.ts';
import type { AliasMove, AliasRecord, ModelRecord } from './records.ts';
import type { RegistryState, StateReads } from './state.ts';

export type AliasView = AliasRecord & { readonly pending: AliasMove | undefined };
export type ModelView = ModelRecord & { readonly aliases: readonly AliasView[] };

/** A model with its aliases, the moves that are under way, and its release. */
export async function getModel(
  state: RegistryState,
  name: string,
): Promise<{ readonly model: ModelView; readonly release: Release | undefined }> {
  return state.read(async (reads) => {
    const model = await requireModel(reads, name);
    const [view] = await withAliases(reads, [model]);
    return { model: view!, release: await reads.release(name) };
  });
}

/** Adds their aliases to models. */
export async function withAliases(reads: StateReads, models: readonly ModelRecord[]): Promise<readonly ModelView[]> {
  const names = models.map((model) => model.name);
  const aliases = await reads.aliases(names);
  const moves = await reads.pendingMoves(names);
  return models.map((model) => ({
    ...model,
    aliases: aliases
      .filter((alias) => alias.model === model.name)
      .map((alias) => ({
        ...alias,
        pending: moves.find((move) => move.model === alias.model && move.alias === alias.alias),
      })),
  }));
}
