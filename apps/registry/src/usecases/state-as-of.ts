import type { ModelSettings } from '@sluice/domain/model';
import type { Release } from '@sluice/domain/release';
import { requireModel } from './lookups.ts';
import type { AliasHistoryEntry } from './records.ts';
import type { RegistryState } from './state.ts';
import { readVersionPage } from './version-page.ts';
import type { VersionPage, VersionPageRequest } from './version-page.ts';

export interface StateAsOf extends VersionPage {
  readonly aliases: readonly AliasHistoryEntry[];
  readonly release: Release | undefined;
  /** Undefined when they are not known for that time. */
  readonly settings: ModelSettings | undefined;
}

/** Settings, aliases, release and a page of the versions of a model as they were at a time, in milliseconds since the epoch. */
export async function stateAsOf(
  state: RegistryState,
  request: VersionPageRequest & { readonly model: string; readonly time: number },
): Promise<StateAsOf> {
  return state.read(async (reads) => {
    const { name } = await requireModel(reads, request.model);
    const page = await readVersionPage(request, (query) => reads.versionViewsAsOf(name, request.time, query));
    return {
      ...page,
      aliases: await reads.aliasesAsOf(name, request.time),
      release: await reads.releaseAsOf(name, request.time),
      settings: await reads.settingsAsOf(name, request.time),
    };
  });
}
