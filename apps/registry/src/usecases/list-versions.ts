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

/** Versions that are read at once, and text of a page after which it ends: a page always fits into one message. */
const readAtOnce = 20;
const fullPageCharacters = 8 * 1024 * 1024;

/** A page of a model's versions by number; shorter than asked for when its versions are large. */
export async function listVersions(
  state: RegistryState,
  request: ListVersionsRequest,
): Promise<{ readonly versions: readonly VersionView[]; readonly nextPageToken: string }> {
  const limit = pageSize(request.pageSize);
  const first = readPageToken<number>(request.pageToken, 0);
  return state.read(async (reads) => {
    const model = await requireModel(reads, request.model);
    const versions: VersionView[] = [];
    for (let [after, characters] = [first, 0]; ;) {
      const found = await reads.versionViews(model.name, { after, limit: readAtOnce, deleted: request.showDeleted });
      for (const version of found) {
        // One more than fits says that there is another page.
        if (versions.length === limit || characters > fullPageCharacters)
          return { versions, nextPageToken: pageToken(after) };
        versions.push(version);
        after = version.number;
        characters += JSON.stringify(version).length;
      }
      if (found.length < readAtOnce) return { versions, nextPageToken: '' };
    }
  });
}
