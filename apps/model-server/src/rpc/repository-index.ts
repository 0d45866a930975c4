import type { GRPCInferenceServiceMethods, ResponseInput } from '@sluice/contracts/services';
import { checkRepositoryName } from '@sluice/inference/repository';
import type { Assignment } from '../versions/assignment.ts';
import { versionKey } from '../versions/assignment.ts';
import type { VersionState } from '../versions/version-state.ts';

type Index = ResponseInput<GRPCInferenceServiceMethods['repositoryIndex']>;

/** A version of this runtime in whatever state. */
export interface IndexedVersion {
  readonly assignment: Assignment;
  readonly state: VersionState;
  readonly reason: string;
}

/** Triton's words for the states. */
const states: Readonly<Record<VersionState, string>> = {
  assigned: 'LOADING',
  downloading: 'LOADING',
  loading: 'LOADING',
  warming: 'LOADING',
  ready: 'READY',
  evicting: 'UNLOADING',
  // With its reason; a request loads it.
  evicted: 'UNAVAILABLE',
  draining: 'UNLOADING',
  // Its memory is still being given back; a version that is gone is not asked about.
  unloaded: 'UNLOADING',
  failed: 'UNAVAILABLE',
};

/**
 * What this runtime has.
 *
 * @param placed what it is told to have
 * @param leaving what it is not told to have any more
 */
export function repositoryIndex(
  request: { readonly repositoryName: string; readonly ready: boolean },
  placed: readonly IndexedVersion[],
  leaving: readonly IndexedVersion[],
): Index {
  checkRepositoryName(request.repositoryName);
  const here = new Set(placed.map(({ assignment }) => versionKey(assignment)));
  const gone = leaving.filter(({ assignment }) => !here.has(versionKey(assignment)));
  const models = [...placed, ...gone]
    .sort((one, other) => byName(one.assignment, other.assignment))
    .map(({ assignment, state, reason }) => ({
      name: assignment.model,
      version: String(assignment.version),
      state: states[state],
      reason,
    }));
  return { models: request.ready ? models.filter(({ state }) => state === 'READY') : models };
}

function byName(one: Assignment, other: Assignment): number {
  if (one.model !== other.model) return one.model < other.model ? -1 : 1;
  return one.version - other.version;
}
