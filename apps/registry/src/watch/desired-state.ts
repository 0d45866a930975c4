import type { CapturePolicy } from '@sluice/domain/capture';
import type { Placed } from '@sluice/domain/placement';
import type { Release } from '@sluice/domain/release';
import type { ServingConfig, Signature } from '@sluice/domain/signature';
import type { VersionFile } from '@sluice/domain/version';
import type { AliasRecord, QuarantineRecord } from '../usecases/records.ts';

/** A version with all that a runtime needs to load it. */
export interface AssignedVersion extends Placed {
  readonly digest: string;
  readonly files: readonly VersionFile[];
  readonly graphPath: string;
  readonly signature: Signature;
  readonly serving: ServingConfig;
  /** What admission found one session of it to take at its peak; 0 when that is not known. */
  readonly modelBytes: number;
}

/** A version that the runtimes load. */
export interface PlacedVersion extends AssignedVersion {
  /** Its manifest declares a task: what it answers can be right or wrong. */
  readonly hasTask: boolean;
}

/** All that watchers follow of one model. */
export interface ModelState {
  readonly model: string;
  /** Leaf index of the last change that watchers see. */
  readonly changedRevision: number;
  /** Only those that point somewhere. */
  readonly aliases: readonly AliasRecord[];
  readonly release: Release | undefined;
  /** The model's own policy, which its release has too unless it has one of its own. */
  readonly capture: CapturePolicy;
  readonly placed: readonly PlacedVersion[];
  /** What the runtimes of the pool do not load although something holds it; such a version is among `unplaced`. */
  readonly quarantined: readonly QuarantineRecord[];
  /** Ready versions that are not placed. */
  readonly unplaced: readonly number[];
  /** Whether a ready version, placed or not, keeps sequences. */
  readonly keepsSequences: boolean;
  /** Versions that were placed once and are not now, with the revision that ended it. */
  readonly left: readonly { readonly version: number; readonly revision: number }[];
}

/** The desired state at one revision; never changed in place, so that any number of watchers may hold it. */
export interface DesiredState {
  readonly token: number;
  /** Tokens up to this one may come from a history that a restored database does not have; 0 when there is none. */
  readonly floor: number;
  readonly models: ReadonlyMap<string, ModelState>;
  /** The same models, latest change first. */
  readonly latest: readonly ModelState[];
}

/** What a watcher has to be told: everything, or what changed since its token. */
export interface Update {
  readonly token: number;
  readonly snapshot: boolean;
  readonly models: readonly ModelState[];
}

export const emptyState: DesiredState = { token: 0, floor: 0, models: new Map(), latest: [] };

/** The state with some models replaced. */
export function withModels(state: DesiredState, changed: readonly ModelState[]): DesiredState {
  if (changed.length === 0) return state;
  const models = new Map(state.models);
  for (const model of changed) models.set(model.model, model);
  const latest = [...models.values()].sort((left, right) => right.changedRevision - left.changedRevision);
  return { token: latest[0]?.changedRevision ?? 0, floor: state.floor, models, latest };
}

/**
 * What a watcher that has applied `token` needs now. It gets a snapshot when it has nothing (0), or when its token is
 * of a history that is gone: ahead of this state, or not above its floor.
 */
export function updateSince(state: DesiredState, token: number): Update {
  if (token <= state.floor || token > state.token) {
    return { token: state.token, snapshot: true, models: [...state.models.values()] };
  }
  const end = state.latest.findIndex((model) => model.changedRevision <= token);
  return { token: state.token, snapshot: false, models: end < 0 ? state.latest : state.latest.slice(0, end) };
}

/** Versions of the update's models that runtimes drop: those that left the placement since the token. */
export function leftSince(update: Update, token: number): readonly { model: string; version: number }[] {
  if (update.snapshot) return [];
  return update.models.flatMap(({ model, left }) =>
    left.filter((entry) => entry.revision > token).map(({ version }) => ({ model, version })),
  );
}
