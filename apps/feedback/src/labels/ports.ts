import type { Item, ItemKind, Refusal } from './item.ts';
import type { RowScore } from './score-response.ts';
import type { VersionName } from './task.ts';

/** A record of evidence, as labels see it: one answer (or failure) to a prediction. */
export interface StoredAnswer extends VersionName {
  readonly class: string;
  readonly predictionId: string;
  readonly arm: string;
  readonly attempt: number;
  readonly status: number;
  readonly answered: boolean;
  /** 0 where nobody counted them. */
  readonly rows: number;
  /** As the database writes times. */
  readonly receivedAt: string;
  readonly keepProbability: number;
  readonly role: string | null;
  readonly releaseId: string;
  readonly subject: string;
  /** Of the transaction that stored it, in decimal digits. */
  readonly recordedXid: string;
  readonly responseState: string;
  readonly payloadKeyId: string | undefined;
  /** Undefined too where it is large: `AnswerReader.response` reads it. */
  readonly response: Uint8Array | undefined;
}

/** A label that is joined. */
export interface LabelRow {
  readonly labelId: string;
  readonly class: string;
  readonly predictionId: string;
  readonly item: Item;
  readonly model: string;
  readonly row: number;
  readonly name: string | null;
  readonly number: number | null;
  readonly digest: Buffer;
  readonly recordedAt: string;
}

export type OutcomeState = 'scored' | 'not-captured' | 'erased' | 'not-decodable';

/** One label against one row of one answer. */
export interface OutcomeRow {
  readonly label: Pick<LabelRow, 'labelId' | 'row' | 'name' | 'number' | 'recordedAt'> & {
    readonly source: string;
    readonly labelledAt: string | null;
  };
  readonly answer: StoredAnswer;
  readonly state: OutcomeState;
  readonly score: RowScore | undefined;
}

/** Feedback that is joined. */
export interface FeedbackRow {
  readonly feedbackId: string;
  readonly class: string;
  readonly predictionId: string;
  readonly item: Item;
  readonly model: string;
  readonly digest: Buffer;
  readonly recordedAt: string;
  readonly payloadState: 'none' | 'kept' | 'erased';
  readonly payload: Uint8Array | undefined;
  readonly payloadKeyId: string | undefined;
}

export interface WaitingRow {
  readonly key: Buffer;
  readonly item: Item;
  readonly expiresMs: number;
  /** Its text, sealed. */
  readonly payload: Uint8Array | undefined;
}

/** Predictions of a request id: at most one more than an answer lists. */
export interface RequestName {
  readonly model: string;
  readonly requestId: string;
}

/**
 * A transaction that has its number before it reads anything: the joiner relies on that (`joiner.ts` says why). Whatever is inserted
 * twice is there once; what the inserts return was not there before.
 */
export interface LabelTransaction {
  /** When it began, as the database writes times. */
  readonly now: string;
  /** Predictions of these request ids among those of the last days, in the order of the names. */
  predictionsOf(names: readonly RequestName[]): Promise<(readonly string[])[]>;
  /** All records of these predictions. */
  answersOf(predictionIds: readonly string[]): Promise<StoredAnswer[]>;
  /** Those of the ids that have records out of time, which take no labels. */
  skewed(predictionIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** The payload of an answer whose response is large; undefined when there is none any more. */
  response(answer: StoredAnswer): Promise<Uint8Array | undefined>;
  /** Returns the ids of those that were new. */
  addLabels(rows: readonly LabelRow[]): Promise<ReadonlySet<string>>;
  /** Of labels that this transaction added. */
  addFirstOutcomes(rows: readonly OutcomeRow[]): Promise<void>;
  /** Of others; returns how many were new. */
  addOutcomes(rows: readonly OutcomeRow[]): Promise<number>;
  /** Returns the ids of those that were new. */
  addFeedback(rows: readonly FeedbackRow[]): Promise<ReadonlySet<string>>;
  /** Returns the keys, in hex, of those that did not wait already. No key twice. */
  addWaiting(rows: readonly WaitingRow[]): Promise<ReadonlySet<string>>;
  /** Forgets items that have been joined, by their keys. */
  removeWaiting(keys: readonly Buffer[]): Promise<void>;
  /** Ends items that cannot be joined. */
  refuseWaiting(rows: readonly { readonly key: Buffer; readonly refusal: Refusal }[]): Promise<void>;
}

export interface LabelStore {
  /** Commits what `fn` did. Runs it again after a deadlock, or when a day was dropped under it: it must keep no state. */
  transaction<T>(fn: (tx: LabelTransaction) => Promise<T>): Promise<T>;
}

/** An item that was given up, or refused when its prediction came. */
export interface UnmatchedItem {
  readonly id: number;
  readonly item: Item;
  readonly kind: ItemKind;
  readonly recordedMs: number;
  readonly endedMs: number;
  readonly refusal: Refusal;
}

export interface UnmatchedItems {
  /** Those after the id `after`, in the order of ids: `limit` at most, fewer where they have many values; and whether there are more. */
  list(after: number, limit: number): Promise<{ readonly items: readonly UnmatchedItem[]; readonly more: boolean }>;
}
