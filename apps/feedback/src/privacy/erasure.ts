import type { Spool } from '../ingest/spool-stream.ts';

/** An order to erase a subject, as it was given. */
export interface ErasureOrder {
  /** One after the other without gaps: what routers acknowledge, and what its document is named by. */
  readonly number: number;
  readonly erasureId: string;
  /** Keyed hash of the subject, in hex. */
  readonly subjectHash: string;
  readonly actor: string;
  readonly reason: string;
  /** Empty for none. */
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly orderedMs: number;
  /** Keys that it destroyed. */
  readonly keyIds: readonly string[];
}

/** An order, and how far it is. */
export interface Erasure extends ErasureOrder {
  /** It lies in the artifact store. */
  readonly hasDocument: boolean;
  /** Milliseconds since the epoch; undefined while it is pending. */
  readonly doneMs: number | undefined;
}

/** A spool of a router, as it is known here. Times are milliseconds since the epoch. */
export interface KnownSpool extends Spool {
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly acknowledged: number;
  /** Number of the last order from before which nothing is in it any more. */
  readonly erasuresApplied: number;
  readonly forgottenMs: number | undefined;
}

/** What an order waits for. */
export interface ErasurePending {
  readonly spools: readonly KnownSpool[];
  readonly spoolCount: number;
  readonly unreadableLetters: number;
  /** Texts whose prediction is not there yet. */
  readonly waitingFeedback: number;
}

/** An export that has payloads of a subject. */
export interface SubjectExport {
  readonly dataSet: string;
  readonly version: number;
  readonly digest: string;
  readonly exportedMs: number;
}

/** What somebody orders. */
export interface NewErasure {
  readonly subject: string;
  readonly actor: string;
  readonly reason: string;
  readonly requestId: string;
  /** Dead letters that nobody can read go too. */
  readonly destroyUnreadable: boolean;
}

export interface ErasurePage {
  /** Numbers below it; undefined for the newest. */
  readonly before: number | undefined;
  readonly limit: number;
  readonly isDone: boolean | undefined;
}

/** The table of orders. */
export interface Erasures {
  /**
   * Destroys the live key of the subject and puts the order on record, in one transaction with its audit entry. The same request id gives
   * the same order. Errors: failed-precondition for a request id that was used for another subject.
   */
  order(erasure: NewErasure): Promise<Erasure>;
  /**
   * Does again what an order did whose row was lost, as by a database that was put back. Nothing when it is there. Where another order has
   * its number by now it gets the next one.
   */
  reapply(order: ErasureOrder): Promise<boolean>;
  /** Number of the newest order; 0 when there is none. */
  last(): Promise<number>;
  /** The same of those that lie in the artifact store, as all before them do. */
  lastWithDocument(): Promise<number>;
  /** The oldest orders without a document, in order. */
  withoutDocument(limit: number): Promise<readonly ErasureOrder[]>;
  setDocument(number: number): Promise<void>;
  /** Orders above a number that were written to the artifact store, in order. */
  withDocument(after: number, limit: number): Promise<readonly Pick<ErasureOrder, 'number' | 'erasureId'>[]>;
  /** The artifact store has lost them: they are to be written again. */
  loseDocuments(numbers: readonly number[]): Promise<void>;
  countPending(): Promise<number>;
  /** Marks those that have become done. */
  settle(): Promise<void>;
  find(erasureId: string): Promise<Erasure | undefined>;
  list(page: ErasurePage): Promise<readonly Erasure[]>;
  pending(number: number, limit: number): Promise<ErasurePending>;
  exports(subjectHash: string, limit: number): Promise<readonly SubjectExport[]>;
}

/** The table of spools. */
export interface Spools {
  /** Its router was heard of. */
  seen(spools: readonly (Spool & { readonly acknowledged: number })[]): Promise<void>;
  /** Nothing from before an order is in it any more. */
  applied(spool: Spool, number: number): Promise<void>;
  list(after: string, limit: number): Promise<readonly KnownSpool[]>;
  /** With its audit entry. Undefined when there is no such spool. */
  forget(spoolId: string, actor: string, reason: string): Promise<KnownSpool | undefined>;
}

/** Where orders are kept beside the database: the artifact store. */
export interface ErasureDocuments {
  /**
   * On disk for good when it resolves to undefined. Where another order has its number there it is given instead, and nothing is
   * written.
   */
  write(order: ErasureOrder): Promise<ErasureOrder | undefined>;
  /** The same in the place of another one, which is kept elsewhere. */
  replace(order: ErasureOrder): Promise<void>;
  /** The order that has a number there; undefined for none, and for a document that is damaged. */
  read(number: number): Promise<ErasureOrder | undefined>;
  /** Orders with a number above `last`, in order. Errors: data-loss for a document that is none. */
  after(last: number): AsyncIterable<ErasureOrder>;
}
