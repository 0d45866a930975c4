import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { BlockWriter } from '@sluice/evidence/block-writer';
import { emptyDraft } from '@sluice/evidence/draft';
import type { RecordDraft } from '@sluice/evidence/draft';
import { EncodedContext } from '@sluice/evidence/encoded-context';
import type { Reservation, Synced } from '@sluice/evidence/spool/contract';
import type { AttemptEnd, AttemptObserver, ObservedAttempt } from '../route/attempt-observer.ts';
import type { Capture, Captures } from './capture.ts';
import { emptyPayloads, fillDraft } from './fill-draft.ts';

/** Where blocks go: the spool. */
export interface BlockStore {
  append(block: Uint8Array, records: number): number | undefined;
  reserve(bytes: number): Reservation | undefined;
  synced(position: number, callback: Synced): void;
  keepProbability(): number;
}

export interface RecorderOptions {
  readonly store: BlockStore;
  readonly captures: Captures;
  readonly clock: Clock;
  /** Keyed hash of a unit key, 16 characters of an octet each. */
  readonly hashUnit: (unit: string) => string;
  /** Told of each record: whether it was kept. */
  readonly onRecord: (kept: boolean) => void;
}

/** Bytes of a block; larger records have one of their own. */
const blockBytes = 128 * 1024;

/** How long a record waits for others in its block, milliseconds. */
const blockMs = 50;

/** What a durable record may need beside its payloads: its fixed part, its texts and its context. */
const recordBytes = 16 * 1024;

const noContext = new EncodedContext({
  ...{ model: '', version: 0, versionDigest: '', releaseId: '', seedId: '', policyVersion: 0, arm: '', servedArm: '' },
  ...{ role: undefined, propensity: 1, retentionClass: 'standard' },
});

/**
 * Writes the evidence of attempts: best-effort records into one block after the other, each durable one into a block of its own,
 * for which there is room before its request is sent.
 */
export class Recorder implements AttemptObserver {
  readonly #options: RecorderOptions;
  readonly #writer = new BlockWriter(blockBytes);
  readonly #single = new BlockWriter(recordBytes);
  readonly #draft: RecordDraft = emptyDraft(noContext);
  /** Milliseconds since the epoch at which `monotonic()` was 0, as of the start of the block. */
  #epochMs: number;
  #isTimed = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#epochMs = this.#readEpoch();
  }

  attemptEnded(attempt: ObservedAttempt, end: AttemptEnd): void {
    const capture = this.#options.captures.of(attempt);
    const keepProbability = capture.rate * this.#options.store.keepProbability();
    const isKept = keeps(attempt.predictionId, keepProbability);
    if (isKept) this.#append(attempt, end, capture, keepProbability);
    this.#options.onRecord(isKept);
  }

  /**
   * Room for the evidence of a request whose answer waits until it is stored.
   *
   * @returns undefined when its answer does not wait
   * @throws SluiceError resource-exhausted when there is no room
   */
  reserve(attempt: ObservedAttempt): Reservation | undefined {
    const capture = this.#options.captures.of(attempt);
    if (!capture.durable || !keeps(attempt.predictionId, capture.rate)) return undefined;
    const { requestLimit, responseLimit } = capture;
    const request = attempt.message.length <= requestLimit ? attempt.message.length : 0;
    const bytes = recordBytes + request + Math.max(0, responseLimit);
    const room = this.#options.store.reserve(bytes);
    if (room) return room;
    throw new SluiceError(
      'resource-exhausted',
      `${attempt.version.model}: its evidence has to be stored before it answers, and there is no room for it in the spool of this router; try again later`,
      { retryAfterMs: 1000 },
    );
  }

  /**
   * Stores the record of an attempt in the room that was reserved for it.
   *
   * @param done called once it is on disk, or with why it is not
   */
  store(attempt: ObservedAttempt, end: AttemptEnd, room: Reservation, done: Synced): void {
    const { store, captures, onRecord } = this.#options;
    const capture = captures.of(attempt);
    this.#fill(attempt, end, capture, capture.rate);
    this.#single.clear();
    this.#single.append(this.#draft);
    emptyPayloads(this.#draft);
    const position = room.append(this.#single.block, 1);
    onRecord(position !== undefined);
    if (position === undefined) done(new SluiceError('resource-exhausted', 'there is no room for its evidence'));
    else store.synced(position, done);
  }

  /** Hands over what was written so far. */
  flush(): void {
    if (this.#writer.records > 0) this.#options.store.append(this.#writer.block, this.#writer.records);
    this.#writer.clear();
  }

  #append(attempt: ObservedAttempt, end: AttemptEnd, capture: Capture, keepProbability: number): void {
    this.#fill(attempt, end, capture, keepProbability);
    if (!this.#writer.append(this.#draft)) {
      this.flush();
      this.#writer.append(this.#draft);
    }
    emptyPayloads(this.#draft);
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#options.clock.schedule(blockMs, () => {
      this.#isTimed = false;
      this.#epochMs = this.#readEpoch();
      this.flush();
    });
  }

  #fill(attempt: ObservedAttempt, end: AttemptEnd, capture: Capture, keepProbability: number): void {
    const { unit } = attempt.said;
    const unitHash = unit === undefined ? undefined : this.#options.hashUnit(unit);
    fillDraft(this.#draft, attempt, end, { capture, keepProbability, epochMs: this.#epochMs, unitHash });
  }

  #readEpoch(): number {
    const { clock } = this.#options;
    return clock.now() - clock.monotonic();
  }
}

/**
 * Whether a prediction is kept: by the random end of its id, so that all attempts and arms of it are, or none.
 *
 * @param probability 0 to 1
 */
function keeps(predictionId: string, probability: number): boolean {
  return probability >= 1 || Number.parseInt(predictionId.slice(-8), 16) < probability * 2 ** 32;
}
