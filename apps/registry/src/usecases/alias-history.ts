import { checkAliasName } from '@sluice/domain/names';
import type { HistoryPage, HistoryPageRequest } from './history-page.ts';
import { readHistoryPage } from './history-page.ts';
import { requireModel } from './lookups.ts';
import type { RegistryState } from './state.ts';

/** A page of an alias's stretches and moves, the newest on the first; '' means all aliases of the model. */
export async function aliasHistory(
  state: RegistryState,
  request: HistoryPageRequest & { readonly model: string; readonly alias: string },
): Promise<HistoryPage> {
  const { alias } = request;
  if (alias !== '') checkAliasName(alias);
  return state.read(async (reads) => {
    const { name } = await requireModel(reads, request.model);
    return readHistoryPage(request, {
      entries: (query) => reads.aliasHistory(name, alias, query),
      moves: (query) => reads.moves(name, alias, query),
    });
  });
}
