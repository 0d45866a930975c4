import type { NodeId } from '@sluice/domain/merkle';
import type { AuditKey, SignedCheckpoint } from '../audit/checkpoint.ts';
import type { AuditEntry } from '../audit/entry.ts';

/** A node as its row has it. */
export interface StoredNode {
  readonly lastLeaf: number;
  readonly level: number;
  readonly hash: Uint8Array;
}

export interface EntryQuery {
  /** First leaf index, going up or down from it. */
  readonly from: number;
  /** Most entries; fewer are given when they hold more than 8 MiB, but one at least. */
  readonly limit: number;
  /** This object and those below it (`model/a` has `model/a/alias/b`, not `model/ab`); '' for all. */
  readonly object: string;
  readonly descending: boolean;
}

/** Reads of the audit log from one snapshot. Times have fractions where a row was changed to have microseconds. */
export interface AuditReads {
  /** The number of entries, if none is missing: one more than the last leaf index. */
  size(): Promise<number>;
  entries(query: EntryQuery): Promise<readonly AuditEntry[]>;
  /** Rows of nodes that were completed by leaves from `start` to before `end`, by leaf, then level. */
  nodeRows(start: number, end: number): Promise<readonly StoredNode[]>;
  /** Hashes in the order asked for; `data-loss` when one is missing. */
  nodes(ids: readonly NodeId[]): Promise<readonly Uint8Array[]>;
  /** Checkpoints of trees from `start` to `end` leaves, both included, by size. */
  checkpoints(start: number, end: number): Promise<readonly SignedCheckpoint[]>;
  latestCheckpoint(): Promise<SignedCheckpoint | undefined>;
  /** Oldest first. */
  keys(): Promise<readonly AuditKey[]>;
}

/** The audit log for reading. `unavailable` while Postgres is away. */
export interface AuditLog {
  read<T>(fn: (reads: AuditReads) => Promise<T>): Promise<T>;
}

/** An entry of the log's own, with the key that it sets, if it sets one. */
export interface LogEntry {
  readonly action: string;
  readonly object: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly key?: Omit<AuditKey, 'sinceLeaf'>;
}

/** Writes of the audit log that are not part of somebody's change. */
export interface AuditWrites {
  /** Appends what `decide` gives under the audit lock, as the registry's own; nothing when it gives nothing. */
  append(decide: (reads: AuditReads) => Promise<LogEntry | undefined>): Promise<void>;
  /**
   * Stores the checkpoint that `make` gives, and gives it back. One replica at a time: undefined, without calling
   * `make`, while another one is at it.
   */
  checkpoint(make: (reads: AuditReads) => Promise<SignedCheckpoint | undefined>): Promise<SignedCheckpoint | undefined>;
}
