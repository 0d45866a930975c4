import type { ModelView } from './get-model.ts';
import { withAliases } from './get-model.ts';
import { pageSize, pageToken, readPageToken } from './page.ts';
import type { RegistryState } from './state.ts';

/** A page of models by name. */
export async function listModels(
  state: RegistryState,
  request: { readonly pageSize: number; readonly pageToken: string },
): Promise<{ readonly models: readonly ModelView[]; readonly nextPageToken: string }> {
  const size = pageSize(request.pageSize);
  const after = readPageToken(request.pageToken, '');
  return state.read(async (reads) => {
    const found = await reads.models(after, size + 1);
    const models = found.slice(0, size);
    const nextPageToken = found.length > size ? pageToken(models.at(-1)!.name) : '';
    return { models: await withAliases(reads, models), nextPageToken };
  });
}
