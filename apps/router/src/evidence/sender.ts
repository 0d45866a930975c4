import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { StoredBlock } from '@sluice/evidence/spool/contract';
import type { Logger } from '@sluice/service-kit/logger';
import { logOutage } from '@sluice/service-kit/outage';
import { isRunning, pause } from '../watch/pause.ts';
import type { FollowedErasures } from './erasure-drain.ts';
import { SendWindow } from './send-window.ts';

/** What feedback says of the blocks of a stream. */
export interface IngestAnswer {
  /** All blocks up to this position are stored. */
  readonly acknowledged: number;
  /** Bytes of blocks that may be under way. */
  readonly windowBytes: number;
  /** Number of the newest order to erase; 0 for none. */
  readonly erasures: number;
}

/** Where blocks are sent: a feedback, over one stream at a time. */
export interface FeedbackPort {
  /**
   * @param blocks in groups that are to travel together, if feedback takes that
   * @param erasures orders to erase that feedback is to be told of when they are followed
   */
  ingest(
    blocks: AsyncIterable<readonly StoredBlock[]>,
    signal: AbortSignal,
    erasures: FollowedErasures,
  ): AsyncIterable<IngestAnswer>;
}

/** Blocks as they lie in the spool. */
export interface BlockCursor {
  next(): Promise<StoredBlock | undefined>;
  /** As `next`, and undefined where that would wait. */
  poll(): Promise<StoredBlock | undefined>;
  /** Ends a call that waits. */
  close(): Promise<void>;
}

/** What is drained: the spool. */
export interface BlockSource {
  read(after: number): BlockCursor;
  acknowledge(position: number): void;
  /** Up to here all is stored. */
  readonly acknowledged: number;
}

export interface SenderOptions {
  readonly source: BlockSource;
  readonly feedback: FeedbackPort;
  readonly erasures: FollowedErasures & { learn(number: number): void };
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds to wait before the next try; `failures` counts from 1 since the last answer. */
  readonly backoffMs: (failures: number) => number;
  /** Told whether a feedback takes what is sent. */
  readonly onConnection: (up: boolean) => void;
}

/** Small blocks travel together: up to so many bytes, */
const groupBytes = 64 * 1024;
/** and at most once in so many milliseconds. */
const groupMs = 10;

/**
 * Drains the spool into feedback: sends what is not acknowledged, in order, and lets go of what is. Feedback may be away for as long
 * as it likes: what waits lies on disk.
 */
export class Sender {
  readonly #options: SenderOptions;
  #connected = false;
  /** The log has that evidence is sent. */
  #isTold = false;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** A feedback takes what is sent. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Sends until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, backoffMs } = this.#options;
    let failures = 0;
    while (isRunning(signal)) {
      try {
        await this.#sendAll(signal, (hasStored) => {
          // One that greets and stores nothing is no help.
          if (hasStored) failures = 0;
          this.#isConnected(true, failures === 0);
        });
      } catch (error) {
        // A stream on which nothing has come for long is ended by the other side.
        const isIdle = SluiceError.from(error).kind === 'deadline-exceeded';
        if (isRunning(signal) && failures === 0 && !isIdle)
          logOutage(logger, error, 'evidence cannot be sent: it waits in the spool');
      }
      this.#isConnected(false, false);
      failures++;
      await pause(clock, backoffMs(failures), signal);
    }
  }

  /** One stream, until it breaks. */
  async #sendAll(signal: AbortSignal, onAnswer: (hasStored: boolean) => void): Promise<void> {
    const { source, feedback, erasures } = this.#options;
    const window = new SendWindow();
    const cursor = source.read(source.acknowledged);
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    // A cursor that waits for the next block is no reason to wait for it.
    both.addEventListener('abort', () => {
      cursor.close().catch((error: unknown) => this.#options.logger.warn({ err: error }, 'a segment cannot be closed'));
      window.close();
    });
    try {
      for await (const answer of feedback.ingest(this.#groups(cursor, window, both), both, erasures)) {
        const { acknowledged, windowBytes } = answer;
        const hasStored = acknowledged > source.acknowledged;
        onAnswer(hasStored);
        window.open(windowBytes);
        window.acknowledge(acknowledged);
        if (hasStored) source.acknowledge(acknowledged);
        erasures.learn(answer.erasures);
      }
    } finally {
      stop.abort();
    }
  }

  /**
   * The next blocks, as far as the window lets them. One that comes alone is sent at once; while small ones come one after the other, as those of
   * durable answers do, each would cost more to send than what is in it.
   */
  async *#groups(
    cursor: BlockCursor,
    window: SendWindow,
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredBlock[], void, undefined> {
    const { clock } = this.#options;
    let sentMs = -Infinity;
    while (await window.hasRoom()) {
      const first = await cursor.next();
      if (first === undefined) return;
      const early = sentMs + groupMs - clock.monotonic();
      if (first.block.length < groupBytes && early > 0) await pause(clock, early, signal);
      const { group, isFull, failure } = await gather(cursor, window, first);
      yield group;
      if (failure !== undefined) throw failure.cause;
      // What is behind does not wait.
      sentMs = isFull ? -Infinity : clock.monotonic();
    }
  }

  /** @param isHealthy nothing has failed since something was stored */
  #isConnected(isUp: boolean, isHealthy: boolean): void {
    if (isHealthy && !this.#isTold) this.#options.logger.info('evidence is sent to feedback');
    this.#isTold = isUp ? this.#isTold || isHealthy : false;
    if (this.#connected === isUp) return;
    this.#connected = isUp;
    this.#options.onConnection(isUp);
  }
}

interface Group {
  readonly group: readonly StoredBlock[];
  /** There may be more at once. */
  readonly isFull: boolean;
  /** Of the disk, behind the last of them. */
  readonly failure: { readonly cause: unknown } | undefined;
}

/** A block, and those that are there behind it, as far as there is room. */
async function gather(cursor: BlockCursor, window: SendWindow, first: StoredBlock): Promise<Group> {
  const group: StoredBlock[] = [];
  let bytes = 0;
  try {
    for (let next: StoredBlock | undefined = first; next !== undefined; next = await cursor.poll()) {
      bytes += next.block.length;
      group.push(next);
      window.sent(next.position, next.block.length);
      if (bytes >= groupBytes || !window.isOpen) return { group, isFull: true, failure: undefined };
    }
    return { group, isFull: false, failure: undefined };
  } catch (cause) {
    return { group, isFull: false, failure: { cause } };
  }
}
