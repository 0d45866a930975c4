import type { Ticket } from '../contract.ts';
import type { SequenceKey, SequenceRequest } from './contract.ts';

/** A request that waits or runs. */
export class Step<Request> implements Ticket {
  readonly request: Request;
  readonly sequence: Sequence<Request>;
  readonly enqueuedAtMs: number;
  /** How long it waits for company. */
  readonly dueAtMs: number;
  /** When it must have left the queue. */
  readonly expiresAtMs: number;
  /** Counts the requests of the scheduler. */
  readonly order: number;
  /** The sequence is over after it, however it ends: nothing that was sent later for it can be run. */
  closes = false;
  answered = false;
  heapIndex = -1;

  constructor(
    request: Request,
    sequence: Sequence<Request>,
    times: Pick<Step<Request>, 'enqueuedAtMs' | 'dueAtMs' | 'expiresAtMs' | 'order'>,
  ) {
    this.request = request;
    this.sequence = sequence;
    this.enqueuedAtMs = times.enqueuedAtMs;
    this.dueAtMs = times.dueAtMs;
    this.expiresAtMs = times.expiresAtMs;
    this.order = times.order;
  }
}

/** The requests under one key, in the order in which they came; several sequences where one starts behind another. */
export class Sequence<Request> {
  readonly key: SequenceKey;
  /** Its slot; -1 while it waits for one. */
  slot = -1;
  readonly waiting: Step<Request>[] = [];
  running: Step<Request> | undefined;
  /** It has no request, and is over at this moment; `Infinity` otherwise. */
  idleAtMs = Infinity;

  constructor(key: SequenceKey) {
    this.key = key;
  }

  /** The request that came last, if it is not over. */
  get last(): Step<Request> | undefined {
    return this.waiting.at(-1) ?? this.running;
  }
}

type AnyRequest = SequenceRequest<never>;

/** Nothing but a start can follow it, as far as is known now. */
export const isLast = <Request extends AnyRequest>({ closes, request }: Step<Request>): boolean =>
  closes || request.end;

/** Takes what cannot run without what is gone: all up to the next start. */
export function takeOrphans<Request extends AnyRequest>({ waiting }: Sequence<Request>, from: number): Step<Request>[] {
  const next = waiting.findIndex(({ request }, index) => index >= from && request.start);
  return waiting.splice(from, (next < 0 ? waiting.length : next) - from);
}
