/**
 * What is followed, in the order in which rows of one transaction are sent. The place of a table here is in cursors: add at the end.
 */
export const followedTables = ['evidence', 'evidence_skewed', 'label', 'outcome'] as const;
export type FollowedTable = (typeof followedTables)[number];

/**
 * A place in the order of all rows: by transaction, then by table, then by key. It lies behind the row that it names; a table of -1
 * lies before all rows of its transaction.
 */
export interface Position {
  readonly transaction: bigint;
  /** An index into `followedTables`, or -1. */
  readonly table: number;
  /** The primary key, in the order of its columns; empty for a table of -1. */
  readonly key: readonly string[];
}

/** How many columns the keys of a table have. */
export const keyLength: readonly number[] = [4, 4, 5, 5];

/** Before all rows of a transaction. */
export const beforeTransaction = (transaction: bigint): Position => ({ transaction, table: -1, key: [] });

/** Before everything: no transaction has a number below 3, and a table without rows counts as 0. */
export const beginning = beforeTransaction(1n);
