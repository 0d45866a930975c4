import { requireModel } from './lookups.ts';
import { pageSize, pageToken, readPageToken } from './page.ts';
import type { VersionView } from './records.ts';
import type { RegistryState } from './state.ts';

export interface ListVersionsRequest {
  readonly model: string;
  readonly pageSize: number;
  readonly pageToken: string;
  readonly showDeleted: boolean;
}

/** A page of a model's versions by number. */
export async function listVersions(
  state: RegistryState,
  request: ListVersionsRequest,
): Promise<{ readonly versions: readonly VersionView[]; readonly nextPageToken: string }> {
  const limit = pageSize(request.pageSize);
  const after = readPageToken(request.pageToken, 0);
  return state.read(async (reads) => {
    const model = await requireModel(reads, request.model);
    const query = { after, limit: limit + 1, deleted: request.showDeleted };
    const found = await reads.versionViews(model.name, query);
    const versions = found.slice(0, limit);
    return { versions, nextPageToken: found.length > limit ? pageToken(versions.at(-1)!.number) : '' };
  });
}
