import type { ServingConfig, Signature } from '@sluice/domain/signature';
import type { VersionFile } from '@sluice/domain/version';

/** A version that the registry tells this runtime to load, and why. */
export interface Assignment {
  readonly model: string;
  readonly version: number;
  /** Of the whole version; two assignments of one number always have the same. */
  readonly digest: string;
  readonly files: readonly VersionFile[];
  /** Path of the ONNX graph among `files`. */
  readonly graphPath: string;
  readonly signature: Signature;
  readonly serving: ServingConfig;
  readonly aliases: readonly string[];
  readonly champion: boolean;
  readonly pinnedOnly: boolean;
  /** What admission found one session to take at its peak, in bytes; 0 when that is not known. */
  readonly memoryBytes: number;
  /** It is not placed: a request brought it here, and when memory is short or nobody asks it goes. */
  readonly demandOnly?: true;
  /** Why this runtime cannot load it: the registry said something of it that only later software knows. */
  readonly notKnown?: string;
}

/** A version that no runtime may have, whatever brought it there. */
export interface Quarantined {
  readonly model: string;
  readonly version: number;
  /** What it did, for people. */
  readonly reason: string;
}

/** All assignments as of a revision of the registry. */
export interface Placement {
  readonly revision: number;
  readonly assignments: readonly Assignment[];
  /** As the last change told them: of the models that changed. None of them is placed, but a request may have brought it. */
  readonly quarantined?: readonly Quarantined[];
}

/** Changes of a placement, as a watch sends them. */
export interface PlacementChange {
  readonly revision: number;
  /** True: `assignments` is all there is. */
  readonly snapshot: boolean;
  readonly assignments: readonly Assignment[];
  readonly removed: readonly { readonly model: string; readonly version: number }[];
  /** Those of the models that changed; in a snapshot all. */
  readonly quarantined: readonly Quarantined[];
}

export const versionKey = (of: { readonly model: string; readonly version: number }): string =>
  `${of.model}/${of.version}`;

/** The placement after a change. */
export function applyChange(placement: Placement | undefined, change: PlacementChange): Placement {
  const all = new Map<string, Assignment>();
  if (!change.snapshot) for (const kept of placement?.assignments ?? []) all.set(versionKey(kept), kept);
  for (const gone of change.removed) all.delete(versionKey(gone));
  for (const added of change.assignments) all.set(versionKey(added), added);
  return { revision: change.revision, assignments: [...all.values()], quarantined: change.quarantined };
}
