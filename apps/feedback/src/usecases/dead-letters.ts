import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { deadReasons } from '../evidence/item.ts';
import type { DeadReason, Origin } from '../evidence/item.ts';

/** What is known of a dead letter without its bytes. */
export interface DeadLetterSummary {
  readonly id: number;
  readonly kind: 'block' | 'record';
  readonly reason: DeadReason;
  readonly detail: string;
  readonly origin: Origin;
  /** Empty for a block; so is `model`. */
  readonly predictionId: string;
  readonly model: string;
  readonly sizeBytes: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly attempts: number;
}

/** A dead letter as it is tried again. */
export interface KeptDeadLetter {
  readonly id: number;
  readonly kind: 'block' | 'record';
  readonly origin: Origin;
  readonly bytes: Uint8Array;
}

export interface DeadLetterPage {
  /** Ids above it. */
  readonly after: number;
  readonly limit: number;
  /** Empty for all. */
  readonly reason: string;
}

/** The table of dead letters. */
export interface DeadLetters {
  list(page: DeadLetterPage): Promise<DeadLetterSummary[]>;
  /** Ids above `after`, in their order. */
  ids(after: number, limit: number): Promise<number[]>;
  read(id: number): Promise<KeptDeadLetter | undefined>;
  /** Ids of those that it removed. */
  remove(ids: readonly number[]): Promise<number[]>;
  /** Ids with this reason up to `last`, the least ones. */
  idsOf(reason: DeadReason, last: number, limit: number): Promise<number[]>;
  /** The greatest id; 0 without any. */
  lastId(): Promise<number>;
}

/** @throws SluiceError invalid-argument for a text that is no reason */
export function readReason(text: string): DeadReason {
  const reason = deadReasons.find((each) => each === text);
  if (reason === undefined)
    throw invalidArgument(`reason: "${clip(text)}" given; expected one of ${deadReasons.join(', ')}`);
  return reason;
}
