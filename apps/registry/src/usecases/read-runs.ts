import type { RunState } from '@sluice/domain/run';
import { pageSize, pageToken, readPageToken } from './page.ts';
import type { RunRecord } from './provenance.ts';
import { requireRun } from './provenance-checks.ts';
import type { RegistryState } from './state.ts';
import type { SizedPageRequest } from './version-page.ts';
import { readSizedPage } from './version-page.ts';

/** A run by its id. */
export async function getRun(state: RegistryState, id: string): Promise<RunRecord> {
  return state.read(({ provenance }) => requireRun(provenance, id));
}

export interface ListRunsRequest extends SizedPageRequest {
  /** '' for all. */
  readonly pipeline: string;
  readonly state: RunState | undefined;
}

/** A page of runs, the newest start first. */
export async function listRuns(
  state: RegistryState,
  request: ListRunsRequest,
): Promise<{ readonly runs: readonly RunRecord[]; readonly nextPageToken: string }> {
  const { pipeline, state: ofState } = request;
  const limit = pageSize(request.pageSize);
  const first = readPageToken<number>(request.pageToken, Number.MAX_SAFE_INTEGER);
  return state.read(async ({ provenance }) => {
    const { items, next } = await readSizedPage(
      first,
      limit,
      ({ startRevision }: RunRecord) => startRevision,
      (query) => provenance.runs({ pipeline, state: ofState, before: query.after, limit: query.limit }),
    );
    return { runs: items, nextPageToken: next === undefined ? '' : pageToken(next) };
  });
}
