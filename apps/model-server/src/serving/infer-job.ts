import type { BatchPart, BatchRequest, BucketKey, Ticket } from '@sluice/batching/contract';
import { SluiceError } from '@sluice/domain/errors';
import type { RuntimeFacts } from '@sluice/evidence/runtime-facts';
import { classifyOutputs } from '@sluice/inference/classification';
import { buildInferResponse } from '@sluice/inference/infer-response';
import type { InferRequest } from '@sluice/inference/infer-request';
import type { BatchPlan } from '../runtime/batch-plan.ts';
import type { Wishes } from './scheduling.ts';
import { rowRange, type BatchOutputs, type OutputRows } from '../runtime/outputs.ts';
import { joinedRuns, type BatchRun } from './version-stats.ts';

/** Who is told how a request ended: exactly one of `respond` and `fail` is called, once, and later `released`, once. */
export interface InferAnswer {
  /** How long it had waited when its engine got it, in milliseconds: for the load of its version. */
  readonly waitedMs: number;
  /** @param response the bytes of a ModelInferResponse @param facts to be read before this returns */
  respond(response: Buffer, facts: RuntimeFacts): void;
  /** @param facts to be read before this returns */
  fail(error: SluiceError, facts: RuntimeFacts): void;
  /**
   * The request's bytes are not held any more: it is answered, and no batch with rows of it runs.
   * @param isUnused it went the ordinary way, on which they were copied once as they are, and nothing will look at them again
   */
  released(isUnused: boolean): void;
}

/** What a batch gives its requests: its outputs, or by part the result of a run of its own. */
export type BatchResult =
  | { readonly kind: 'whole'; readonly outputs: BatchOutputs }
  | { readonly kind: 'alone'; readonly byPart: ReadonlyMap<BatchPart, BatchOutputs | SluiceError> };

/** Names of the version that answers. */
export interface AnsweredBy {
  readonly model: string;
  readonly version: string;
}

/** Rows of one output that came in several batches. */
interface Pieces {
  readonly datatype: OutputRows['datatype'];
  readonly dims: readonly number[];
  readonly chunks: { readonly row: number; readonly bytes: Uint8Array }[];
}

/**
 * One request on its way through the scheduler. Holds the request's bytes until it is answered and no batch runs it. It is
 * its own facts: their times begin when its queue took it, as those of the statistics do, and what it had waited before.
 */
export class InferJob implements BatchRequest<BatchResult>, RuntimeFacts {
  readonly request: InferRequest;
  readonly plan: BatchPlan;
  readonly bucket: BucketKey;
  readonly rows: number;
  readonly deadlineMs: number;
  readonly priority: number;
  readonly timeoutMicroseconds: number;
  ticket: Ticket | undefined = undefined;
  /** The run that its rows were in, of one that was split all of them; for the statistics. */
  run: BatchRun | undefined = undefined;
  /** `Clock.monotonic()` when it was answered, in milliseconds; 0 before. */
  endedAtMs = 0;
  costMicros = 0;
  readonly #by: AnsweredBy;
  readonly #answer: InferAnswer;
  readonly #ended: (job: InferJob, error: SluiceError | undefined) => SluiceError | undefined;
  #lastRun: BatchRun | undefined = undefined;
  #response: Buffer | undefined;
  #pieces: Map<string, Pieces> | undefined;
  /** It has its one end. */
  #answered = false;
  /** A run of its own was made of it. */
  #ranAgain = false;
  /** Batches under way that have rows of it. */
  #batches = 0;
  /** It has succeeded, with all of its rows in one run. */
  #inOneRun = false;

  constructor(
    what: {
      readonly request: InferRequest;
      readonly plan: BatchPlan;
      readonly bucket: BucketKey;
      /** In milliseconds of `Clock.monotonic()`. */
      readonly deadlineMs: number;
      readonly wishes: Wishes;
      readonly by: AnsweredBy;
    },
    answer: InferAnswer,
    ended: (job: InferJob, error: SluiceError | undefined) => SluiceError | undefined,
  ) {
    this.request = what.request;
    this.plan = what.plan;
    this.bucket = what.bucket;
    this.rows = what.request.rows;
    this.deadlineMs = what.deadlineMs;
    this.priority = what.wishes.priority;
    this.timeoutMicroseconds = what.wishes.timeoutMicroseconds;
    this.#by = what.by;
    this.#answer = answer;
    this.#ended = ended;
  }

  rowsDone(result: BatchResult, part: BatchPart): void {
    const alone = result.kind === 'alone' ? result.byPart.get(part) : undefined;
    if (alone) this.#ranAgain = true;
    if (alone instanceof SluiceError) throw alone;
    if (this.#answered) return;
    const outputs = alone ?? (result as { outputs: BatchOutputs }).outputs;
    const from = alone ? 0 : part.batchRow;
    if (part.rows === this.rows) this.#response = this.#build(outputs, from);
    else this.#collect(outputs, from, part);
  }

  /** All its rows ran by themselves: answers at once. What the scheduler says of it later changes nothing. */
  ranAlone(outcome: BatchOutputs | SluiceError): void {
    this.#ranAgain = true;
    if (this.#answered) return;
    if (outcome instanceof SluiceError) {
      this.fail(outcome);
      return;
    }
    try {
      this.#response = this.#build(outcome, 0);
    } catch (error) {
      this.fail(SluiceError.from(error));
      return;
    }
    this.succeed();
  }

  succeed(): void {
    if (this.#answered) return;
    let response = this.#response;
    try {
      response ??= this.#join();
    } catch (error) {
      this.fail(SluiceError.from(error));
      return;
    }
    this.#answered = true;
    this.#inOneRun = this.#pieces === undefined;
    this.#ended(this, undefined);
    this.#answer.respond(response, this);
    this.#release();
  }

  fail(error: SluiceError): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#answer.fail(this.#ended(this, error) ?? error, this);
    this.#release();
  }

  /**
   * A batch with rows of it ran; told of each of its parts.
   * @param coreUs their share of what that cost, in core-microseconds
   */
  ran(run: BatchRun, coreUs: number): void {
    this.costMicros += coreUs;
    // One that was split may have two parts in a batch, and was in one run all the same.
    if (run === this.#lastRun) return;
    this.#lastRun = run;
    this.run = this.run ? joinedRuns(this.run, run) : run;
  }

  /** Until its first batch began; where none did, until its end. */
  get queueMicros(): number {
    return this.#microsUntil(this.run ? this.run.beganAtMs : this.endedAtMs);
  }
  get runMicros(): number {
    return this.run ? this.run.timing.inferUs : 0;
  }
  get totalMicros(): number {
    return this.#microsUntil(this.endedAtMs);
  }
  get batchRows(): number {
    return this.run ? this.run.rows : 0;
  }

  #microsUntil(ms: number): number {
    const queuedMs = this.ticket ? ms - this.ticket.enqueuedAtMs : 0;
    return (this.#answer.waitedMs + queuedMs) * 1000;
  }

  /** A batch with rows of it begins. */
  enterBatch(): void {
    this.#batches += 1;
  }

  /** Such a batch is over, and holds nothing of it any more. */
  leaveBatch(): void {
    this.#batches -= 1;
    this.#release();
  }

  #release(): void {
    if (this.#answered && this.#batches === 0) this.#answer.released(this.isUnused);
  }

  /** Whether nothing will look at the request's bytes again, where nothing holds them; false too where that takes long to see. */
  protected get isUnused(): boolean {
    if (!this.#inOneRun || this.#ranAgain) return false;
    return this.request.inputs.every(({ raw, datatype }) => raw !== undefined && datatype !== 'BYTES');
  }

  /** Builds the answer straight from the batch: each output's bytes are copied once, into the message. */
  #build(outputs: BatchOutputs, from: number): Buffer {
    const rows = this.plan.batched ? this.rows : 1;
    const found = outputs.outputs.map((output) => {
      const { start, end } = rowRange(output, from, from + rows);
      return { output, data: output.bytes.subarray(start, end) };
    });
    return this.#message(found.map(({ output, data }) => ({ ...this.#part(output, rows), data })));
  }

  #part(output: Pick<OutputRows, 'datatype' | 'dims'> & { readonly name: string }, rows: number) {
    const shape = this.plan.batched ? [rows, ...output.dims] : output.dims;
    return { name: output.name, datatype: output.datatype, shape };
  }

  #message(
    parts: readonly { name: string; datatype: OutputRows['datatype']; shape: readonly number[]; data: Uint8Array }[],
  ): Buffer {
    return buildInferResponse({
      modelName: this.#by.model,
      modelVersion: this.#by.version,
      id: this.request.id,
      outputs: classifyOutputs(this.#inAskedOrder(parts), this.request.classes, this.plan.batched),
    });
  }

  /** Plans hold outputs in the order of the signature; an answer has them as they were asked for. */
  #inAskedOrder<T>(parts: readonly T[]): readonly T[] {
    const asked = this.request.outputs;
    if (asked.length === 1) return parts;
    const sorted = [...asked].sort((a, b) => a - b);
    return asked.map((output) => parts[sorted.indexOf(output)]!);
  }

  #collect(outputs: BatchOutputs, from: number, part: BatchPart): void {
    this.#pieces ??= new Map();
    for (const output of outputs.outputs) {
      const { start, end } = rowRange(output, from, from + part.rows);
      const chunk = { row: part.requestRow, bytes: output.bytes.slice(start, end) };
      const pieces = this.#pieces.get(output.name);
      if (!pieces) {
        this.#pieces.set(output.name, { datatype: output.datatype, dims: output.dims, chunks: [chunk] });
        continue;
      }
      if (pieces.dims.join() !== output.dims.join()) {
        const shapes = `[${pieces.dims.join(', ')}] and [${output.dims.join(', ')}]`;
        throw new SluiceError('internal', `output "${output.name}": rows of one request came out as ${shapes}`);
      }
      pieces.chunks.push(chunk);
    }
  }

  #join(): Buffer {
    const parts = [...(this.#pieces ?? [])].map(([name, { datatype, dims, chunks }]) => {
      const sorted = chunks.sort((a, b) => a.row - b.row).map((chunk) => chunk.bytes);
      return { ...this.#part({ name, datatype, dims }, this.rows), data: Buffer.concat(sorted) };
    });
    return this.#message(parts);
  }
}
