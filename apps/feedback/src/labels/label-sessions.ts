import { SluiceError } from '@sluice/domain/errors';
import type { Retention } from '../evidence/days.ts';
import type { CheckContext } from './check-item.ts';
import { inOrder } from './in-order.ts';
import type { Item, ItemAnswer, Refusal } from './item.ts';
import type { UnmatchedItems } from './ports.ts';
import type { RecordPorts } from './record-items.ts';
import { recordItems } from './record-items.ts';

/** Batches of one stream that are under way. */
const batchesAtOnce = 4;

export interface SessionOptions {
  readonly ports: RecordPorts;
  readonly unmatched: UnmatchedItems;
  readonly retention: Retention;
  /** Most streams of labels and feedback at once. */
  readonly mostStreams: number;
}

/** Calls that bring labels and feedback, one by one or as streams. */
export class LabelSessions {
  readonly unmatched: UnmatchedItems;
  readonly #options: SessionOptions;
  #streams = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.unmatched = options.unmatched;
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams;
  }

  context(): CheckContext {
    return { nowMs: this.#options.ports.clock.now(), retention: this.#options.retention };
  }

  readonly record = (items: readonly (Item | Refusal)[]): Promise<ItemAnswer[]> =>
    recordItems(this.#options.ports, items);

  /** Answers in the order of the requests. @throws SluiceError resource-exhausted when too many streams are open */
  async *stream<Request, Answer>(
    requests: AsyncIterable<Request>,
    handle: (request: Request) => Promise<Answer>,
  ): AsyncGenerator<Answer, void, undefined> {
    const { mostStreams } = this.#options;
    if (this.#streams >= mostStreams)
      throw new SluiceError(
        'resource-exhausted',
        `${mostStreams} streams of labels are open: try again when one has ended`,
        {
          retryAfterMs: 1_000,
        },
      );
    this.#streams += 1;
    try {
      yield* inOrder(requests, handle, batchesAtOnce);
    } finally {
      this.#streams -= 1;
    }
  }
}
