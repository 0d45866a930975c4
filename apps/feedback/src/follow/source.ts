import type { History } from './cursor.ts';
import type { Position } from './position.ts';
import type { FollowedRow } from './row.ts';

/** How far the tables are settled: all that is below is committed for good, and nothing will be added there. */
export interface Look {
  readonly history: History;
  /** Transactions below it are over. */
  readonly frontier: bigint;
  /**
   * The newest transaction below the frontier that has rows, for each of `followedTables`; 0 without any. What it stored is on
   * disk, so it keeps its number whatever crashes.
   */
  readonly newest: readonly bigint[];
  /** How long rows that are committed have been held back by the oldest transaction that is under way, in milliseconds; 0 where none are. */
  readonly heldBackMs: number;
  /** Sequence of the last loss of rows; 0 before the first. */
  readonly losses: number;
  /** The newest transaction of which rows were lost; 0 before the first. */
  readonly lost: bigint;
}

/** Which rows of a table. */
export interface TableRequest {
  /** An index into `followedTables`. */
  readonly table: number;
  readonly after: Position;
  /** The last transaction. */
  readonly upTo: bigint;
  /** Empty for all models. */
  readonly model: string;
}

/** Rows of one table, in their order. */
export interface TablePage {
  readonly rows: readonly PlacedRow[];
  /** Behind what was looked at; undefined where there was nothing. */
  readonly end: Position | undefined;
  /** There may be more up to the transaction that was asked for. */
  readonly cut: boolean;
}

export interface PlacedRow {
  readonly position: Position;
  readonly row: FollowedRow;
}

/** The tables, as those who follow them see them. */
export interface FollowSource {
  /** One at a time. Errors: `failed-precondition` where the database was restored and `migrate` has not run since. */
  look(): Promise<Look>;
  /** At most `mostRows` rows, of bounded size. Errors: `unavailable` and the like. */
  read(request: TableRequest): Promise<TablePage>;
  /** Sequence of the newest loss after `losses` of rows of `transaction` or later ones; undefined where nothing was lost. */
  lossSince(losses: number, transaction: bigint): Promise<number | undefined>;
}

/** Of one page of a table, and of a message. */
export const mostRows = 1_000;
