import { SluiceError, unavailable } from '@sluice/domain/errors';
import type { Ingester } from './ingester.ts';
import type { Spool } from './spool-stream.ts';
import { SpoolStream } from './spool-stream.ts';

export interface SpoolStreamsOptions {
  readonly ingester: Ingester;
  /** Throws `unavailable` while the database is known to be away. */
  readonly available: () => void;
  /** Bytes of blocks that one stream may have under way. */
  readonly windowBytes: number;
  /** Streams at once. */
  readonly mostStreams: number;
}

/** The streams that are open. */
export class SpoolStreams {
  readonly windowBytes: number;
  readonly #options: SpoolStreamsOptions;
  readonly #open = new Set<SpoolStream>();
  #draining = false;
  #erasures = 0;

  constructor(options: SpoolStreamsOptions) {
    this.#options = options;
    this.windowBytes = options.windowBytes;
  }

  /** Number of the newest order to erase that was announced. */
  get erasures(): number {
    return this.#erasures;
  }

  get open(): readonly SpoolStream[] {
    return [...this.#open];
  }

  /** @throws SluiceError unavailable while the database is away or this process stops, resource-exhausted for one too many */
  begin(spool: Spool): SpoolStream {
    const { available, mostStreams, ingester, windowBytes } = this.#options;
    available();
    if (this.#draining) throw unavailable('this feedback is stopping: use another', { retryAfterMs: 0 });
    if (this.#open.size >= mostStreams)
      throw new SluiceError(
        'resource-exhausted',
        `${mostStreams} streams of evidence are open here: use another feedback, or raise SLUICE_MAX_STREAMS`,
        { retryAfterMs: 1_000 },
      );
    const stream = new SpoolStream(spool, ingester, windowBytes, this.#erasures);
    this.#open.add(stream);
    return stream;
  }

  finish(stream: SpoolStream): void {
    stream.close();
    this.#open.delete(stream);
  }

  /** Tells all of an order to erase. */
  announce(erasures: number): void {
    this.#erasures = Math.max(this.#erasures, erasures);
    for (const stream of this.#open) stream.announce(this.#erasures);
  }

  /** Every stream ends as soon as what it sent is stored. */
  drain(): void {
    this.#draining = true;
    for (const stream of this.#open) stream.drain();
  }
}
