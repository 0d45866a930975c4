import { requireModel } from './lookups.ts';
import type { RegistryState } from './state.ts';
import { readNumberedPage } from './version-page.ts';
import type { VersionPage, VersionPageRequest } from './version-page.ts';

export interface ListVersionsRequest extends VersionPageRequest {
  readonly model: string;
  readonly showDeleted: boolean;
}

/** A page of a model's versions by number. */
export async function listVersions(state: RegistryState, request: ListVersionsRequest): Promise<VersionPage> {
  return state.read(async (reads) => {
    const model = await requireModel(reads, request.model);
    return readNumberedPage(request, (query) =>
      reads.versionViews(model.name, { ...query, deleted: request.showDeleted }),
    );
  });
}
