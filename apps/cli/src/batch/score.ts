import { placeOf } from '@sluice/tabular/reader';
import { SluiceError } from '@sluice/domain/errors';
import { type CliContext, pause } from '../context.ts';
import { CliError, exitCodes, usageError } from '../exit-codes.ts';
import { type Answer, rowsOf, type RowAnswer } from '../infer/answers.ts';
import { joinRows, type RequestTensor } from '../infer/tensors.ts';
import type { BatchModel } from './batch-model.ts';
import type { PreparedRow, RowPlan } from './row-plan.ts';
import { Throttle } from './throttle.ts';

/** A row with what became of it: an answer, or a problem. */
export interface ScoredRow {
  readonly prepared: PreparedRow;
  readonly answer: RowAnswer | undefined;
  /** Why there is no answer; '' where there is one. */
  readonly problem: string;
}

export interface ScoreOptions {
  readonly outputs: readonly string[];
  readonly inFlight: number;
  readonly timeoutMs: number;
  readonly patienceMs: number;
}

/** Before the first answer a mistake is likelier than an outage, in milliseconds. */
const firstPatienceMs = 30_000;

/** Under this name the requests stand in the evidence. */
const caller = 'sluice batch';

/** Scores portions of rows, several at once, and gives them back in their order. */
export class Scorer {
  readonly #context: CliContext;
  readonly #model: BatchModel;
  readonly #plan: RowPlan;
  readonly #options: ScoreOptions;
  readonly #throttle: Throttle;
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  #hasAnswer = false;
  #lastAnswerMs = -Infinity;

  constructor(context: CliContext, model: BatchModel, plan: RowPlan, options: ScoreOptions) {
    this.#context = context;
    this.#model = model;
    this.#plan = plan;
    this.#options = options;
    this.#throttle = new Throttle(options.inFlight);
    this.#signal = AbortSignal.any([context.signal, this.#ended.signal]);
  }

  /**
   * What is under way is bounded by what the platform takes: the next portion is not read before there is room for it.
   *
   * @throws what the platform says when nothing gets through for too long, or when trying again would not help
   */
  async *score(portions: AsyncIterable<readonly PreparedRow[]>): AsyncIterable<readonly ScoredRow[]> {
    const underWay: Promise<readonly ScoredRow[]>[] = [];
    try {
      for await (const portion of portions) {
        while (underWay.length >= this.#throttle.limit) yield await underWay.shift()!;
        const scored = this.#portion(portion);
        // It may fail before its turn; then this is where it is seen.
        scored.catch(() => undefined);
        underWay.push(scored);
      }
      while (underWay.length > 0) yield await underWay.shift()!;
    } finally {
      this.#ended.abort();
      await Promise.allSettled(underWay);
    }
  }

  async #portion(rows: readonly PreparedRow[]): Promise<readonly ScoredRow[]> {
    const good = rows.filter((row) => row.tensors);
    const answers = new Map<PreparedRow, RowAnswer | string>();
    if (good.length > 0) await this.#ask(good, rows.length === good.length, answers);
    return rows.map((prepared) => {
      const found = answers.get(prepared) ?? prepared.problem;
      return typeof found === 'string'
        ? { prepared, answer: undefined, problem: found }
        : { prepared, answer: found, problem: '' };
    });
  }

  /** Rows that are refused together, or are too much together, are asked for in halves, so that each good one has its answer. */
  async #ask(rows: readonly PreparedRow[], isFull: boolean, into: Map<PreparedRow, RowAnswer | string>): Promise<void> {
    try {
      const answer = await this.#untilAnswered(rows, isFull);
      const found = rowsOf(answer, this.#model.batched);
      rows.forEach((row, index) => into.set(row, found[index]!));
    } catch (error) {
      const isTooMuch = rows.length > 1 && isTooLarge(error);
      if (!isRefusal(error) && !isTooMuch) throw error;
      if (rows.length === 1) {
        into.set(rows[0]!, `${placeOf(rows[0]!.source)}: ${messageOf(error)}`);
        return;
      }
      const half = Math.ceil(rows.length / 2);
      await this.#ask(rows.slice(0, half), false, into);
      await this.#ask(rows.slice(half), false, into);
    }
  }

  async #untilAnswered(rows: readonly PreparedRow[], isFull: boolean): Promise<Answer> {
    const tensors = joinRows(
      this.#plan.inputs,
      rows.map((row) => row.tensors!),
      this.#model.batched,
    );
    const { clock } = this.#context;
    const begunMs = clock.monotonic();
    for (;;) {
      const sentMs = clock.monotonic();
      try {
        const answer = await this.#send(tensors, rows.length);
        this.#hasAnswer = true;
        this.#lastAnswerMs = clock.monotonic();
        if (isFull) this.#throttle.answered(this.#lastAnswerMs - sentMs);
        return answer;
      } catch (error) {
        const failure = SluiceError.from(error);
        if (!mayComeLater(failure) || (rows.length > 1 && isTooLarge(failure))) throw error;
        const waitMs = this.#throttle.refused(failure.retryAfterMs);
        const patienceMs = this.#hasAnswer
          ? this.#options.patienceMs
          : Math.min(firstPatienceMs, this.#options.patienceMs);
        // What took long before, such as reading, was no outage.
        const sinceMs = Math.max(begunMs, this.#lastAnswerMs);
        if (clock.monotonic() - sinceMs + waitMs > patienceMs) throw error;
        await pause({ ...this.#context, signal: this.#signal }, waitMs);
        if (this.#signal.aborted) throw error;
      }
    }
  }

  async #send(tensors: readonly RequestTensor[], rows: number): Promise<Answer> {
    const { name, version, priority } = this.#model;
    const { outputs, timeoutMs } = this.#options;
    const result = await this.#context.services.inferOnce.infer(
      {
        model: name,
        version,
        inputs: tensors.map((tensor) => ({ ...tensor, data: tensor.raw })),
        ...(outputs.length === 0 ? {} : { outputs }),
        ...(priority === 0 ? {} : { parameters: { priority } }),
      },
      { timeoutMs, signal: this.#signal, metadata: { 'sluice-caller': caller } },
    );
    const short = result.outputs.find((output) => this.#model.batched && output.shape[0] !== rows);
    if (short)
      throw new CliError(
        exitCodes.failed,
        `output "${short.name}" has ${short.shape[0] ?? 0} rows for ${rows} that were sent`,
      );
    return { predictionId: result.predictionId, version: result.version, rows, outputs: result.outputs };
  }
}

/** What waiting may cure. Nothing that a request did to a runtime: it would do it again. */
const mayComeLater = ({ kind, neverAgain }: SluiceError): boolean =>
  !neverAgain && (kind === 'resource-exhausted' || kind === 'unavailable' || kind === 'deadline-exceeded');

/** More than a message, or memory, takes: what is full says when to come again. Fewer rows may do. */
function isTooLarge(error: unknown): boolean {
  const { kind, neverAgain, retryAfterMs } = SluiceError.from(error);
  return !neverAgain && kind === 'resource-exhausted' && retryAfterMs === undefined;
}

/** The version does not take these rows, or fails on them: one of them is to blame. */
function isRefusal(error: unknown): boolean {
  if (error instanceof CliError) return error.code === exitCodes.usage;
  const { kind, neverAgain } = SluiceError.from(error);
  return !neverAgain && (kind === 'invalid-argument' || kind === 'model-failed');
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** @throws CliError usage when more rows are asked for than the version batches */
export function rowsPerRequest(model: BatchModel, plan: RowPlan, asked: number): number {
  // Rows of several shapes go one by one.
  const most = plan.isRagged ? 1 : model.maxRows;
  if (asked > most)
    throw usageError(
      `--rows: ${model.name} version ${model.version} takes ${most} in a request${plan.isRagged ? ' where rows differ in shape' : ''}`,
    );
  const bytes = plan.inputs.reduce(
    (sum, input) => sum + 8 * Math.abs(input.rowShape.reduce((all, one) => all * one, 1)),
    1,
  );
  return asked > 0 ? asked : Math.max(1, Math.min(most, Math.floor(maxRequestBytes / bytes)));
}

/** Values of one request, roughly, unless told: more does not make it quicker. */
const maxRequestBytes = 4_194_304;
/** When told: half of what a router takes where nobody has set another limit. */
const mostRequestBytes = 33_554_432;

/**
 * Bytes of rows from which on a request takes no more of them, however many are wanted: texts may be of any length.
 *
 * @param asked rows of a request, as told; 0 for nothing
 */
export const bytesPerRequest = (asked: number): number => (asked > 0 ? mostRequestBytes : maxRequestBytes);
