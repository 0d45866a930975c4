import { pageSize, pageToken, readPageToken } from './page.ts';
import type { VersionView } from './records.ts';

/** Which page of a model's versions is asked for. */
export interface VersionPageRequest {
  /** 0 means 100. */
  readonly pageSize: number;
  /** '' for the first page. */
  readonly pageToken: string;
}

export interface VersionPage {
  readonly versions: readonly VersionView[];
  /** '' when this is the last page. */
  readonly nextPageToken: string;
}

/** Versions that are read at once, and text of a page after which it ends: a page always fits into one message. */
const readAtOnce = 20;
const fullPageCharacters = 8 * 1024 * 1024;

/**
 * A page of versions by number; shorter than asked for when its versions are large.
 *
 * @param read gives versions with a number above `after`, in order, at most `limit`
 */
export async function readVersionPage(
  request: VersionPageRequest,
  read: (query: { readonly after: number; readonly limit: number }) => Promise<readonly VersionView[]>,
): Promise<VersionPage> {
  const limit = pageSize(request.pageSize);
  let after = readPageToken<number>(request.pageToken, 0);
  const versions: VersionView[] = [];
  for (let characters = 0; ;) {
    const found = await read({ after, limit: readAtOnce });
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
}
