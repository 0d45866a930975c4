import { checkAliasName } from '@sluice/domain/names';
import { requireModel } from './lookups.ts';
import type { AliasHistoryEntry, AliasMove } from './records.ts';
import type { RegistryState } from './state.ts';

/** The newest 10,000 stretches of an alias's history and the newest 1,000 moves of it; '' means all aliases of the model. */
export async function aliasHistory(
  state: RegistryState,
  request: { readonly model: string; readonly alias: string },
): Promise<{ readonly entries: readonly AliasHistoryEntry[]; readonly moves: readonly AliasMove[] }> {
  if (request.alias !== '') checkAliasName(request.alias);
  return state.read(async (reads) => {
    const model = await requireModel(reads, request.model);
    return {
      entries: await reads.aliasHistory(model.name, request.alias),
      moves: await reads.moves(model.name, request.alias),
    };
  });
}
