import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { encodeRuntimeFacts, runtimeFactsBytes } from '@sluice/evidence/runtime-facts';
import type { RuntimeFacts } from '@sluice/evidence/runtime-facts';
import { scanInferRequest } from '@sluice/inference/scan';
import { sequenceOf, type SequenceMark } from '@sluice/inference/sequence';
import type { RawCall, RawUnaryHandler } from '@sluice/rpc/handlers';
import type { InferAnswer } from '../serving/infer-job.ts';
import type { Cancel, Engine } from '../serving/engine.ts';
import type { OnDemand } from '../versions/on-demand.ts';
import type { ServingTable } from '../versions/serving-table.ts';
import type { Leave, WaitingRequest } from '../versions/waiting-requests.ts';

/** What predictions need. */
export interface PredictPorts {
  readonly clock: Clock;
  /** The table of now. */
  readonly table: () => ServingTable;
  readonly budget: ByteBudget;
  /** Lets requests wait until their version is loaded, and behind those that did. */
  readonly waits: Pick<OnDemand, 'wait' | 'isBehind' | 'waitBehind'>;
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

/** Facts of the call that is being answered: it reads them at once. */
const factsOctets = Buffer.alloc(runtimeFactsBytes);

/** Says what is known of a request beside its answer, where its caller wants to know it: a router, over its link. */
function sayFacts(call: RawCall, facts: RuntimeFacts): void {
  if (call.takesFacts === true) call.setFacts?.(encodeRuntimeFacts(facts, factsOctets));
}

/** Answers a call, and gives its bytes back to the budget when nothing holds them any more. */
class Answer implements InferAnswer {
  readonly waitedMs: number;
  readonly #call: RawCall;
  readonly #budget: ByteBudget;
  readonly #bytes: number;
  readonly #reuse: boolean;

  /** @param reuse nobody else has the request's bytes */
  constructor(call: RawCall, budget: ByteBudget, bytes: number, waitedMs: number, reuse: boolean) {
    this.#call = call;
    this.#budget = budget;
    this.#bytes = bytes;
    this.waitedMs = waitedMs;
    this.#reuse = reuse;
  }

  respond(response: Buffer, facts: RuntimeFacts): void {
    sayFacts(this.#call, facts);
    this.#call.respond(response);
  }

  fail(error: SluiceError, facts: RuntimeFacts): void {
    sayFacts(this.#call, facts);
    this.#call.fail(error);
  }

  released(isUnused: boolean): void {
    this.#budget.release(this.#bytes);
    if (isUnused && this.#reuse) this.#call.requestIsUnused?.();
  }
}

/** A request whose version is being loaded: it holds its bytes of the budget, and begins when the version is ready. */
class Waiting implements WaitingRequest {
  readonly #request: Buffer;
  readonly #call: RawCall;
  readonly #ports: PredictPorts;
  readonly #held: number;
  readonly #arrivedMs: number;
  readonly sequence: SequenceMark | undefined;
  #cancel: Cancel | undefined;

  constructor(request: Buffer, call: RawCall, ports: PredictPorts, held: number, sequence: SequenceMark | undefined) {
    this.sequence = sequence;
    this.#request = request;
    this.#call = call;
    this.#ports = ports;
    this.#held = held;
    this.#arrivedMs = ports.clock.monotonic();
  }

  get #waitedMs(): number {
    return this.#ports.clock.monotonic() - this.#arrivedMs;
  }

  /** @throws SluiceError as `wait` does; the bytes are given back then */
  begin(wait: (request: WaitingRequest) => Leave): void {
    const { budget } = this.#ports;
    let leave: Leave;
    try {
      leave = wait(this);
    } catch (error) {
      budget.release(this.#held);
      throw error;
    }
    this.#call.onCancel(() => {
      if (leave()) budget.release(this.#held);
      else this.#cancel?.();
    });
  }

  start(engine: Engine): void {
    try {
      this.#cancel = send(engine, this.#request, this.#call, this.#ports, this.#held, false, this.#waitedMs);
    } catch (error) {
      this.fail(SluiceError.from(error));
    }
  }

  fail(error: SluiceError): void {
    this.#ports.budget.release(this.#held);
    const waited = this.#waitedMs * 1000;
    const nothingRan = { runMicros: 0, batchRows: 0, costMicros: 0, rows: 0 };
    sayFacts(this.#call, { queueMicros: waited, totalMicros: waited, ...nothingRan });
    this.#call.fail(error);
  }
}

/**
 * Hands a request over.
 * @param reuse nobody else has its bytes
 * @param waitedMs how long it has waited for its version, in milliseconds
 */
function send(
  engine: Engine,
  request: Buffer,
  call: RawCall,
  { clock, budget }: PredictPorts,
  held: number,
  reuse: boolean,
  waitedMs = 0,
): Cancel | undefined {
  const now = clock.monotonic();
  engine.lastRequestMs = now;
  return engine.infer(request, call.deadlineMs - clock.now() + now, new Answer(call, budget, held, waitedMs, reuse));
}

/**
 * ModelInfer on message bytes: finds the version, hands the bytes to its engine, answers with bytes. A throw is the
 * call's answer. Nothing here looks at a tensor, sets a timer or logs.
 */
export function predict(ports: PredictPorts): RawUnaryHandler {
  const { table, budget, waits } = ports;
  return (request, call) => {
    const header = scanInferRequest(request);
    const sequence = sequenceOf(header.parameters);
    if (sequence) call.inOrder?.(`${typeof sequence.id} ${sequence.id} ${header.modelName}`);
    const engine = table().engineFor(header.modelName, header.modelVersion, sequence);
    // Small requests cost more than their message: without that, a budget of bytes would hold any number of them.
    const held = request.byteLength + bytesBesideMessage;
    try {
      budget.take(held);
    } catch (error) {
      // It was refused before its engine saw it: what was sent behind this start must not meet the sequence before it.
      if (sequence?.start) engine?.sequences?.end(sequence.id);
      throw error;
    }
    if (!engine || waits.isBehind(engine)) {
      new Waiting(request, call, ports, held, sequence).begin((waiting) =>
        engine ? waits.waitBehind(engine, waiting) : waits.wait(header.modelName, header.modelVersion, waiting),
      );
      return;
    }
    try {
      const cancel = send(engine, request, call, ports, held, true);
      if (cancel) call.onCancel(cancel);
    } catch (error) {
      budget.release(held);
      throw error;
    }
  };
}
