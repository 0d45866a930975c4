import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { scanInferRequest } from '@sluice/inference/scan';
import { sequenceOf } from '@sluice/inference/sequence';
import type { RawCall, RawUnaryHandler } from '@sluice/rpc/handlers';
import type { InferAnswer } from '../serving/infer-job.ts';
import type { ServingTable } from '../versions/serving-table.ts';

/** What predictions need. */
export interface PredictPorts {
  readonly clock: Clock;
  /** The table of now. */
  readonly table: () => ServingTable;
  readonly budget: ByteBudget;
}

/** What a request costs beside its message, about: its call, its place in the queue, its answer's headers. */
export const bytesBesideMessage = 8 * 1024;

/** Bounds the bytes of requests that are held at once, waiting or running, over all models. */
export class ByteBudget {
  readonly limit: number;
  held = 0;

  /** @param limit in bytes; one request alone may be larger */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** @throws SluiceError resource-exhausted when there is no room now */
  take(bytes: number): void {
    if (this.held > 0 && this.held + bytes > this.limit) {
      const message = `requests of ${this.held} bytes are waiting, ${bytes} more exceed the limit of ${this.limit}; send them later`;
      throw new SluiceError('resource-exhausted', message, { retryAfterMs: 100 });
    }
    this.held += bytes;
  }

  release(bytes: number): void {
    this.held -= bytes;
  }
}

/** Answers a call, and gives its bytes back to the budget when nothing holds them any more. */
class Answer implements InferAnswer {
  readonly #call: RawCall;
  readonly #budget: ByteBudget;
  readonly #bytes: number;

  constructor(call: RawCall, budget: ByteBudget, bytes: number) {
    this.#call = call;
    this.#budget = budget;
    this.#bytes = bytes;
  }

  respond(response: Buffer): void {
    this.#call.respond(response);
  }

  fail(error: SluiceError): void {
    this.#call.fail(error);
  }

  released(): void {
    this.#budget.release(this.#bytes);
  }
}

/**
 * ModelInfer on message bytes: finds the version, hands the bytes to its engine, answers with bytes. A throw is the
 * call's answer. Nothing here looks at a tensor, sets a timer or logs.
 */
export function predict({ clock, table, budget }: PredictPorts): RawUnaryHandler {
  return (request, call) => {
    const header = scanInferRequest(request);
    const sequence = sequenceOf(header.parameters);
    if (sequence) call.inOrder?.(`${typeof sequence.id} ${sequence.id} ${header.modelName}`);
    const engine = table().engineFor(header.modelName, header.modelVersion, sequence);
    // Small requests cost more than their message: without that, a budget of bytes would hold any number of them.
    const held = request.byteLength + bytesBesideMessage;
    budget.take(held);
    const deadlineMs = call.deadlineMs - clock.now() + clock.monotonic();
    try {
      const cancel = engine.infer(request, deadlineMs, new Answer(call, budget, held));
      if (cancel) call.onCancel(cancel);
    } catch (error) {
      budget.release(held);
      throw error;
    }
  };
}
