import type { VersionFile, VersionState } from '@sluice/domain/version';

/** In whose name and for how long the registry is asked. */
export interface RepositoryCall {
  readonly actor: string;
  readonly deadlineMs: number | undefined;
  readonly signal: AbortSignal;
}

export interface RepositoryTensor {
  readonly name: string;
  readonly datatype: string;
  /** With the batch dimension; -1 where a dimension is dynamic. */
  readonly shape: readonly number[];
}

/** A version as the registry has it. */
export interface RepositoryVersion {
  readonly number: number;
  readonly state: VersionState;
  readonly digest: string;
  readonly files: readonly VersionFile[];
  readonly graphPath: string;
  readonly inputs: readonly RepositoryTensor[];
  readonly outputs: readonly RepositoryTensor[];
  /** Whether the first dimension of every tensor counts rows. */
  readonly batched: boolean;
  readonly pinned: boolean;
  /** Why admission refused it; '' otherwise. */
  readonly rejection: string;
  /** Of the registry, as of which it was changed last: pins and quarantines are changes. */
  readonly revision: number;
}

/** A model as the registry has it. */
export interface RepositoryModel {
  readonly name: string;
  /** Of the registry, as of which its aliases and its release are these. */
  readonly revision: number;
  readonly aliases: readonly { readonly alias: string; readonly version: number }[];
  /** Moves that are under way: they place their version already. */
  readonly moves: readonly { readonly alias: string; readonly version: number }[];
  readonly release:
    | {
        readonly id: string;
        /** Aliases and pins made it, no person: it holds nothing by itself. */
        readonly implicit: boolean;
        /** Of its arms, that of the primary first. */
        readonly versions: readonly number[];
      }
    | undefined;
}

/** A file of a version that is to be made: stored already, or these bytes. */
export interface PushedFile extends VersionFile {
  readonly bytes?: Uint8Array;
}

/** What loading and unloading ask of the registry; all of it fails with what the registry says. */
export interface Repository {
  /** @throws SluiceError not-found */
  model(name: string, call: RepositoryCall): Promise<RepositoryModel>;
  /** All versions but the deleted ones, by number. */
  versions(model: string, call: RepositoryCall): Promise<readonly RepositoryVersion[]>;
  version(model: string, number: number, call: RepositoryCall): Promise<RepositoryVersion>;
  /** The version when its admission has ended, ready or rejected. */
  admitted(model: string, number: number, call: RepositoryCall): Promise<RepositoryVersion>;
  /** Resolves with the revision of the registry that has the change, or an earlier one when there was nothing to change. */
  pin(model: string, version: number, call: RepositoryCall): Promise<number>;
  unpin(model: string, version: number, call: RepositoryCall): Promise<number>;
  /** The bytes of a stored file. */
  read(file: VersionFile, call: RepositoryCall): Promise<Buffer>;
  /** Uploads what is not stored, makes a version and follows its admission: it comes ready or rejected. */
  push(
    model: string,
    files: readonly PushedFile[],
    graphPath: string,
    call: RepositoryCall,
  ): Promise<RepositoryVersion>;
}
