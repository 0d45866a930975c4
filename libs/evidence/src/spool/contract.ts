import type { Clock } from '@sluice/domain/clock';
import type { SluiceError } from '@sluice/domain/errors';
import type { SpoolFiles } from './files.ts';

export interface SpoolPorts {
  readonly files: SpoolFiles;
  readonly clock: Clock;
  /** Random octets for keys, nonces and the id of the spool: `randomBytes` of node:crypto. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Gets what a person should know of; nothing that it throws is caught. */
  readonly onEvent: (event: SpoolEvent) => void;
}

/** What happened to the spool, for a log. */
export type SpoolEvent =
  /** The end of a segment was not whole: what had been written when its process or machine ended was never confirmed. */
  | { readonly kind: 'torn'; readonly segment: string; readonly bytes: number }
  /**
   * A segment lies in `set-aside/` now. What was recovered of it is delivered. `lost`: blocks that are not there, as far as their
   * neighbours tell.
   */
  | {
      readonly kind: 'set-aside';
      readonly segment: string;
      readonly reason: string;
      readonly recovered: number;
      readonly lost: number;
    }
  /** A block was whole at the start and could not be read later. It is skipped. */
  | { readonly kind: 'damaged'; readonly segment: string; readonly position: number }
  /** The disk does not give a segment: what is in it waits. It is tried again, and set aside after some tries. */
  | { readonly kind: 'read-failed'; readonly segment: string; readonly cause: unknown }
  /** There is no room on the disk for another segment, or it cannot be made; tried again until there is. */
  | { readonly kind: 'disk-failed'; readonly cause: unknown }
  /** It is there again. */
  | { readonly kind: 'disk-recovered' }
  /** A segment could not be written or synced: what it had not confirmed goes into another one. */
  | { readonly kind: 'write-failed'; readonly segment: string; readonly blocks: number; readonly cause: unknown }
  /** Something could not be deleted, cut or moved; tried again. */
  | { readonly kind: 'upkeep-failed'; readonly cause: unknown };

/** Room for one block, kept free until it is used. */
export interface Reservation {
  /**
   * Puts a block into the room. Afterwards the reservation is used up.
   *
   * @param records how many it has, for the counts
   * @returns its position; undefined when the block is larger than what was reserved and has no room: it is dropped and counted
   */
  append(block: Uint8Array, records: number): number | undefined;
  /**
   * Makes it room for a block that holds what this one and another one were for. The other one is used up then.
   *
   * @param other of the same spool
   * @param bytes of that block, at most
   * @returns false when it is more than both have, or as one block has no room: both are as they were
   */
  join(other: Reservation, bytes: number): boolean;
  /** Gives the room back; nothing when it is used up. */
  release(): void;
}

/** A block that is on disk. */
export interface StoredBlock {
  readonly position: number;
  readonly block: Uint8Array;
  /** Milliseconds since the epoch, when it was appended. */
  readonly timeMs: number;
}

/** Called once: without an error when all up to the position is on disk, with one when nobody can say when it will be. */
export type Synced = (error?: SluiceError) => void;

export interface SpoolStatus {
  readonly spoolId: string;
  readonly segments: number;
  /** Bytes of all files, room that was made ahead included. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** Bytes of blocks, on disk or on their way there. */
  readonly usedBytes: number;
  readonly reservedBytes: number;
  /** Bytes that are not written yet. */
  readonly bufferedBytes: number;
  /** Of the last block that was appended; 0 when there was none. So with the ones below. */
  readonly position: number;
  readonly synced: number;
  readonly acknowledged: number;
  readonly keepProbability: number;
  /** Blocks that had no room since the start, and their records. */
  readonly droppedBlocks: number;
  readonly droppedRecords: number;
  /** Blocks that an order dropped, or that could not be read any more, since the start. */
  readonly lostBlocks: number;
  /** The disk refused the last attempt to make room. */
  readonly diskFailed: boolean;
  /** Segments that the disk does not give, now or when they were set aside. */
  readonly unreadableSegments: number;
  /** Files in `set-aside/`. */
  readonly setAside: readonly string[];
  /** When the oldest block that can still be read was appended, milliseconds since the epoch; undefined when there is none. */
  readonly oldestMs: number | undefined;
}
