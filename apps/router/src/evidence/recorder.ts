import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { smallResponseBytes } from '@sluice/domain/release';
import type { CapturePolicy } from '@sluice/domain/release';
import { BlockWriter } from '@sluice/evidence/block-writer';
import { emptyDraft } from '@sluice/evidence/draft';
import type { RecordDraft } from '@sluice/evidence/draft';
import { EncodedContext } from '@sluice/evidence/encoded-context';
import type { Reservation } from '@sluice/evidence/spool/contract';
import type { AttemptEnd, AttemptObserver, EvidenceRoom, ObservedAttempt } from '../route/attempt-observer.ts';
import type { Capture, Captures } from './capture.ts';
import { DurableBlocks } from './durable-blocks.ts';
import type { DurableStore } from './durable-blocks.ts';
import { emptyPayloads, fillDraft } from './fill-draft.ts';

/** Where blocks go: the spool. */
export interface BlockStore extends DurableStore {
  append(block: Uint8Array, records: number): number | undefined;
  reserve(bytes: number): Reservation | undefined;
  keepProbability(): number;
}

/** What became of a record: `refused` is one of a durable prediction that had no room after all, whose answer nobody got. */
export const recordFates = ['kept', 'left_out', 'refused'] as const;
export type RecordFate = (typeof recordFates)[number];

export interface RecorderOptions {
  readonly store: BlockStore;
  readonly captures: Captures;
  readonly clock: Clock;
  /** Puts work off to the end of the turn: `setImmediate` in a router. */
  readonly defer: (fn: () => void) => void;
  /** Keyed hash of a unit key, 16 characters of an octet each. */
  readonly hashUnit: (unit: string) => string;
  /** Told of each record. */
  readonly onRecord: (fate: RecordFate) => void;
  /** Told of a prediction whose answer is refused because its record had no room after all. */
  readonly onNoRoom: (model: string, predictionId: string) => void;
}

/** Bytes of a block; larger records have one of their own. */
const blockBytes = 128 * 1024;

/** How long a record waits for others in its block, milliseconds. */
const blockMs = 50;

/** What a durable record may need beside its payloads: its fixed part, its texts and its context. */
const recordBytes = 4 * 1024;

const noContext = new EncodedContext({
  ...{ model: '', version: 0, versionDigest: '', releaseId: '', seedId: '', policyVersion: 0, arm: '', servedArm: '' },
  ...{ role: undefined, propensity: 1, retentionClass: 'standard' },
});

/**
 * Writes the evidence of attempts: best-effort records into one block after the other, and durable ones, for which there is room before their
 * requests are sent, into blocks of theirs.
 */
export class Recorder implements AttemptObserver {
  readonly #options: RecorderOptions;
  readonly #writer = new BlockWriter(blockBytes);
  readonly #durable: DurableBlocks;
  readonly #draft: RecordDraft = emptyDraft(noContext);
  /** Milliseconds since the epoch at which `monotonic()` was 0. */
  #epochMs = 0;
  #isTimed = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#durable = new DurableBlocks(options);
  }

  attemptEnded(attempt: ObservedAttempt, end: AttemptEnd): void {
    const capture = this.#options.captures.of(attempt);
    const keepProbability = capture.rate * this.#options.store.keepProbability();
    const isKept = keeps(attempt.predictionId, keepProbability);
    if (isKept) this.#append(attempt, end, capture, keepProbability);
    this.#options.onRecord(isKept ? 'kept' : 'left_out');
  }

  reserve(model: string, predictionId: string, messageBytes: number): EvidenceRoom | undefined {
    const { store, captures } = this.#options;
    const policy = captures.policyOf(model);
    if (policy.durability !== 'durable' || !keeps(predictionId, policy.rate)) return undefined;
    const room = store.reserve(recordBytes + payloadBytes(policy, messageBytes));
    if (room === undefined) throw noRoom(model);
    return {
      store: (attempt, end, done) => this.#store(room, policy.rate, attempt, end, done),
      release: () => room.release(),
    };
  }

  /** Hands over what was written so far. */
  flush(): void {
    this.#flushBestEffort();
    this.#durable.flush();
  }

  #flushBestEffort(): void {
    if (this.#writer.records > 0) this.#options.store.append(this.#writer.block, this.#writer.records);
    this.#writer.clear();
  }

  /** @param keepProbability as it was when the room was taken: so that was decided */
  #store(
    room: Reservation,
    keepProbability: number,
    attempt: ObservedAttempt,
    end: AttemptEnd,
    done: (failure?: SluiceError) => void,
  ): void {
    const { captures, onRecord, onNoRoom } = this.#options;
    const { predictionId } = attempt;
    const { model } = attempt.version;
    this.#epochMs = this.#readEpoch();
    this.#fill(attempt, end, captures.of(attempt), keepProbability);
    this.#durable.add(this.#draft, room, {
      kept: () => onRecord('kept'),
      // It is larger than what was reserved, as by a policy that changed meanwhile, and there is no more; or the spool is closed.
      refused: () => {
        onRecord('refused');
        onNoRoom(model, predictionId);
        done(noRoom(model));
      },
      onDisk: done,
    });
    emptyPayloads(this.#draft);
  }

  #append(attempt: ObservedAttempt, end: AttemptEnd, capture: Capture, keepProbability: number): void {
    if (!this.#isTimed) this.#beginBlock();
    this.#fill(attempt, end, capture, keepProbability);
    if (!this.#writer.append(this.#draft)) {
      this.#flushBestEffort();
      this.#writer.append(this.#draft);
    }
    emptyPayloads(this.#draft);
  }

  /** The clock of the machine is looked at once for all records of a block. */
  #beginBlock(): void {
    this.#epochMs = this.#readEpoch();
    this.#isTimed = true;
    this.#options.clock.schedule(blockMs, () => {
      this.#isTimed = false;
      this.#flushBestEffort();
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

/** Bytes that the payloads of a record have at most. */
function payloadBytes({ request, response, maxPayloadBytes }: CapturePolicy, messageBytes: number): number {
  const ofRequest = request && messageBytes <= maxPayloadBytes ? messageBytes : 0;
  const ofResponse = response === 'small' ? Math.min(smallResponseBytes, maxPayloadBytes) : maxPayloadBytes;
  return ofRequest + (response === false ? 0 : ofResponse);
}

function noRoom(model: string): SluiceError {
  const text = `${model}: its answers wait until their evidence is stored, and this router has no room for that now; try again later`;
  return new SluiceError('resource-exhausted', text, { retryAfterMs: 1000 });
}

/**
 * Whether a prediction is kept: by the random end of its id, so that all attempts and arms of it are, or none.
 *
 * @param probability 0 to 1
 */
function keeps(predictionId: string, probability: number): boolean {
  return probability >= 1 || Number.parseInt(predictionId.slice(-8), 16) < probability * 2 ** 32;
}
