import { asBuffer, join } from '../messages.ts';
import type { Pieces, RawClientCall, RawOutcome } from '../raw-client.ts';
import { RpcError, statusCodes } from '../status.ts';
import type { Dated } from '@sluice/wire/deadlines';
import type { Pairs } from './frames.ts';
import type { Outgoing } from './outbox.ts';

/** What carries a request, for its cancellation. */
export interface Carrier {
  /** Takes it off; nobody waits for it any more. */
  withdraw(request: LinkedRequest, late: boolean): void;
}

export interface RequestOptions {
  readonly path: string;
  readonly message: Uint8Array;
  /** Follows the message. */
  readonly suffix: Uint8Array | undefined;
  readonly metadata: Pairs | undefined;
  /** The same as bytes; see `encodePairs`. */
  readonly pairs: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** The same as `Clock.monotonic()`. */
  readonly deadlineAt: number;
  readonly done: (outcome: RawOutcome) => void;
}

/** One request of a link's client, from `call` to its one outcome. */
export class LinkedRequest implements RawOutcome, RawClientCall, Dated {
  readonly options: RequestOptions;
  readonly deadlineAt: number;
  error: RpcError | undefined;
  pieces: Pieces | undefined;
  messageArrived = false;
  /** Of the answer or failure that it ended with. */
  facts: Uint8Array | undefined;
  heapIndex = -1;
  /** Its number on the link; 0 before it has one. */
  number = 0;
  /** How it leaves; undefined before the link stands. */
  outgoing: Outgoing | undefined;
  carrier: Carrier | undefined;
  #trailer: ((key: string) => string | undefined) | undefined;
  #ended = false;
  #whole: Buffer | undefined;

  constructor(options: RequestOptions) {
    this.options = options;
    this.deadlineAt = options.deadlineAt;
  }

  /** Bytes of the request. */
  get bytes(): number {
    return this.options.message.byteLength + (this.options.suffix?.byteLength ?? 0);
  }

  /** The answer in one piece; joined when it is first asked for. */
  get message(): Buffer | undefined {
    if (this.pieces === undefined) return undefined;
    const [first, ...more] = this.pieces;
    return (this.#whole ??= asBuffer(join(first, more)));
  }

  trailer(key: string): string | undefined {
    return this.#trailer?.(key);
  }

  /** Its caller gives up. It is told of that, too, but later. */
  cancel(): void {
    if (this.#ended) return;
    this.carrier?.withdraw(this, false);
    const details = { origin: 'local', code: statusCodes.CANCELLED } as const;
    const error = new RpcError('cancelled', 'cancelled by the caller', details);
    this.#ended = true;
    // Not within the caller's own call of this.
    queueMicrotask(() => this.#tell(error, undefined));
  }

  /** Its deadline has passed. */
  expire(): void {
    if (this.#ended) return;
    this.carrier?.withdraw(this, true);
    const details = { origin: 'local', code: statusCodes.DEADLINE_EXCEEDED } as const;
    this.fail(new RpcError('deadline-exceeded', 'not answered before the deadline', details));
  }

  /** Its answer is there. */
  succeed(pieces: Pieces, trailers: Pairs): void {
    if (this.#ended) return;
    this.#ended = true;
    this.messageArrived = true;
    this.#trailer = (key) => (Object.hasOwn(trailers, key) ? trailers[key] : undefined);
    this.#tell(undefined, pieces);
  }

  /** Whatever carried it has ended without an answer, or its answer is a failure. */
  fail(error: RpcError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#trailer = (key) => (Object.hasOwn(error.trailers, key) ? error.trailers[key] : undefined);
    this.#tell(error, undefined);
  }

  /** Takes the outcome of a call that carried it instead. */
  follow(outcome: RawOutcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.messageArrived = outcome.messageArrived;
    this.#trailer = (key) => outcome.trailer(key);
    this.#tell(outcome.error, outcome.message && [outcome.message]);
  }

  #tell(error: RpcError | undefined, pieces: Pieces | undefined): void {
    this.error = error;
    this.pieces = pieces;
    try {
      this.options.done(this);
    } catch (thrown) {
      // The others of the same batch are not to be lost with it.
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }
}
