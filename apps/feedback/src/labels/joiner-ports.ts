import type { Item } from './item.ts';
import type { OutcomeRow, RequestName } from './ports.ts';

/** Where the cluster is with its transactions, and where the joiner is. */
export interface Horizon {
  /** All transactions before this one are over, and seen by whoever asks from now on. */
  readonly xmin: bigint;
  /** What is committed is of transactions before this one; others before it may be under way. */
  readonly xmax: bigint;
  /** What waits is joined to all evidence of transactions before this one. */
  readonly position: bigint;
  /** As the database writes times. */
  readonly now: string;
  /** The position was of another cluster, and is 0 now. */
  readonly isNew: boolean;
  /** Another one after a recovery or a failover, which may give out numbers again. */
  readonly timeline: number;
}

/** Whether any item waits for a prediction by its id, or by a request id. */
export interface Waits {
  readonly forPredictions: boolean;
  readonly forRequests: boolean;
}

/** An item that waits. */
export interface WaitingItem {
  readonly id: number;
  readonly key: Buffer;
  /** With its text as it is stored: sealed. */
  readonly item: Item;
}

/** A label that was joined before an answer to its prediction was there. */
export interface MissingOutcome {
  readonly predictionId: string;
  readonly label: OutcomeRow['label'];
  /** Of the answer. */
  readonly class: string;
  readonly arm: string;
  readonly attempt: number;
}

export interface WaitingCounts {
  readonly waiting: number;
  /** Given up or refused, and not forgotten yet. */
  readonly ended: number;
}

/** The tables, as the joiner sees them. */
export interface JoinerStore {
  /** Runs `fn` while no other replica does; false when another is at it. */
  exclusively(fn: () => Promise<void>): Promise<boolean>;
  horizon(): Promise<Horizon>;
  /** Whether any evidence is of transactions from `from` on and before `to`. */
  hasEvidence(from: bigint, to: bigint): Promise<boolean>;
  /** The number of a transaction: those that are given out later are higher, also after a crash. */
  takeNumber(): Promise<bigint>;
  /** Where to end so that there are about so many records from `from` on, at most `to`; a transaction is never divided. */
  chunkEnd(from: bigint, to: bigint, records: number): Promise<bigint>;
  waits(): Promise<Waits>;
  /** Predictions of the evidence of these transactions, each once. */
  predictionsIn(from: bigint, to: bigint): Promise<readonly string[]>;
  /** Those of them that have labels. */
  labelledIn(from: bigint, to: bigint): Promise<readonly string[]>;
  /** Requests of the evidence of these transactions, each once, without those that have no id. */
  requestsIn(from: bigint, to: bigint): Promise<readonly RequestName[]>;
  /** Items that wait for these, by id, after the id `after`: `limit` at most, fewer where they have many values, none at the end. */
  waitingForPredictions(ids: readonly string[], after: number, limit: number): Promise<WaitingItem[]>;
  waitingForRequests(names: readonly RequestName[], after: number, limit: number): Promise<WaitingItem[]>;
  missingOutcomes(predictionIds: readonly string[], limit: number): Promise<MissingOutcome[]>;
  /** Moves the position; it is there after a crash. */
  advance(to: bigint): Promise<void>;
  /** Ends items whose time was over at `before`; returns how many, at most `limit`. */
  endExpired(before: string, limit: number): Promise<number>;
  /** Deletes items that ended so many days ago; returns how many, at most `limit`. */
  forgetEnded(days: number, limit: number): Promise<number>;
  counts(): Promise<WaitingCounts>;
  /** Gives up what it keeps between rounds. */
  close(): Promise<void>;
}
