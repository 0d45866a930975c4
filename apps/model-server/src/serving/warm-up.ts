import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { ServingConfig, Signature, WarmupRequest } from '@sluice/domain/signature';
import type { BatchPlan } from '../runtime/batch-plan.ts';
import { checkRuntimeDatatype } from '../runtime/datatypes.ts';
import type { SessionPool } from '../runtime/session-pool.ts';
import type { BatchJob, BatchOutcome } from '../runtime/session-thread.ts';
import { hasFixedRows, newPlanId, rowDims, type KnownOutputs } from './buckets.ts';
import { firstRow, repeated } from './sequences/first-rows.ts';
import { prepareRequest, type PreparedRequest } from './warm-up-requests.ts';

/** What warming up found out. */
export interface WarmUpReport {
  readonly knownOutputs: KnownOutputs;
  /** Batches that ran. */
  readonly runs: number;
  /**
   * Milliseconds that its slowest size of batch takes: the best of the runs of each size, since a busy machine makes
   * some longer, and the most of these. Undefined when none ran.
   */
  readonly runMs: number | undefined;
  /** Why it stopped early: only for models whose dynamic dimensions or texts generated rows may not fit. */
  readonly note: string;
}

/** What a warm-up needs beside the version. */
export interface WarmUpOptions {
  /** Of what warm-up requests leave to chance. */
  readonly seed: number;
  /** Ends it before its next run. */
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** What a version's own warm-up requests may take together: versions load one after the other, and all others wait. */
const requestsMs = 60_000;

/** Rows of zeros (BYTES: empty strings), dynamic dimensions 1: what nearly every graph takes. */
function generatedPlan(signature: Signature, known: KnownOutputs): BatchPlan {
  const inputs = signature.inputs.map((input) => ({
    name: input.name,
    datatype: checkRuntimeDatatype(input.datatype, input.name),
    dims: rowDims(signature, input.shape).map((dim) => (dim < 0 ? 1 : dim)),
  }));
  const outputs = signature.outputs.map((output, index) => ({
    name: output.name,
    datatype: checkRuntimeDatatype(output.datatype, output.name),
    dims: known[index] ? rowDims(signature, output.shape) : undefined,
  }));
  return { id: newPlanId(), batched: signature.batched, inputs, outputs };
}

interface Ran {
  /** Row shapes of the outputs. */
  readonly dims: readonly (readonly number[])[];
  readonly ms: number;
}

type Fill = BatchJob['fill'];

/**
 * Runs one generated batch: zeros, and what the runtime itself fills as at the start of a sequence. Resolves with the
 * outputs' row shapes, or why it failed.
 * @param again batches of this plan and size were the last that ran, in every slot of the pool
 */
function runGenerated(
  pool: SessionPool,
  plan: BatchPlan,
  rows: number,
  { sequenceBatching }: ServingConfig,
  again = false,
): Promise<Ran | SluiceError> {
  const own = plan.inputs.map(({ name }) => firstRow(sequenceBatching, name));
  const stringBytes = plan.inputs.map((input, index) => {
    const elements = input.dims.reduce((product, dim) => product * dim, rows);
    return input.datatype === 'BYTES' ? (own[index] ? own[index].byteLength * rows : 4 * elements) : 0;
  });
  const fill: Fill = (targets, isZero) => {
    // What was written there before was the same, and nothing writes to inputs but this.
    if (again) return;
    targets.forEach((target, index) => {
      if (!isZero) target.fill(0);
      if (own[index]) target.set(repeated(own[index], rows));
    });
  };
  return runFilled(pool, { plan, rows, stringBytes, fill });
}

/** Runs a warm-up request once. */
function runPrepared(pool: SessionPool, { plan, rows, bytes }: PreparedRequest): Promise<Ran | SluiceError> {
  const stringBytes = bytes.map(({ byteLength }) => byteLength);
  const fill: Fill = (targets) => targets.forEach((target, index) => target.set(bytes[index]!));
  return runFilled(pool, { plan, rows, stringBytes, fill });
}

function runFilled(
  pool: SessionPool,
  batch: Pick<BatchJob, 'plan' | 'rows' | 'stringBytes' | 'fill'>,
): Promise<Ran | SluiceError> {
  return new Promise((resolve) => {
    const done = (outcome: BatchOutcome): void => {
      if (!outcome.ok) resolve(outcome.error);
      else resolve({ dims: outcome.outputs.outputs.map((output) => output.dims), ms: outcome.timing.inferUs / 1000 });
    };
    pool.submit({ ...batch, maxRows: batch.rows, done });
  });
}

/**
 * Runs generated batches of one row and of the maximum (or of every size that is allowed) on every session, then the
 * version's own warm-up requests, and finds out which outputs really have the shape that the signature states: those may
 * be computed straight into shared memory.
 * @throws SluiceError failed-precondition when a model of numbers whose shapes are all fixed cannot run its own shape, or when it
 * fails on a warm-up request, which is named, or its requests take too long; the signal's reason once it is aborted
 */
export async function warmUp(
  pool: SessionPool,
  signature: Signature,
  serving: ServingConfig,
  options: WarmUpOptions,
): Promise<WarmUpReport> {
  const generated = await runGeneratedBatches(pool, signature, serving, options.signal);
  const own = await runRequests(pool, signature, serving, generated, options);
  const runMs = own.runMs === undefined ? generated.runMs : Math.max(generated.runMs ?? 0, own.runMs);
  return { ...generated, runs: generated.runs + own.runs, runMs };
}

/** Runs the version's own warm-up requests, each as often as it says or as `rounds` does. */
async function runRequests(
  pool: SessionPool,
  signature: Signature,
  serving: ServingConfig,
  { knownOutputs }: WarmUpReport,
  { seed, signal, clock }: WarmUpOptions,
  rounds?: number,
): Promise<Pick<WarmUpReport, 'runs' | 'runMs'>> {
  const until = clock.monotonic() + requestsMs;
  let runs = 0;
  let slowest: number | undefined;
  for (const [index, request] of serving.warmupRequests.entries()) {
    const goOn = (): void => {
      signal.throwIfAborted();
      if (clock.monotonic() > until) throw tookTooLong(request);
    };
    const prepared = await prepareRequest(request, signature, serving, knownOutputs, { seed: seed + index, goOn });
    let best = Infinity;
    for (let round = 0; round < (rounds ?? request.count); round += 1) {
      goOn();
      const what = `warm-up "${request.name}"`;
      best = Math.min(best, await runEverywhere(pool, what, () => runPrepared(pool, prepared)));
      runs += pool.slots;
    }
    if (best < Infinity) slowest = Math.max(slowest ?? 0, best);
  }
  return { runs, runMs: slowest };
}

function tookTooLong({ name }: WarmupRequest): SluiceError {
  const limit = `the warm-up requests of a version may take ${requestsMs / 1000} s together`;
  return new SluiceError('failed-precondition', `warm-up "${name}" did not end in time: ${limit}`);
}

async function runGeneratedBatches(
  pool: SessionPool,
  signature: Signature,
  serving: ServingConfig,
  signal: AbortSignal,
): Promise<WarmUpReport> {
  const nothingKnown = signature.outputs.map(() => false);
  const first = await runGenerated(pool, generatedPlan(signature, nothingKnown), 1, serving);
  if (first instanceof SluiceError) {
    // Sizes of 1 may not fit, nor an empty text where a graph reads a number out of it.
    const mayNotFit = signature.inputs.some((each) => each.datatype === 'BYTES' || !hasFixedRows(signature, each));
    const note = `a generated row could not be run: ${first.message}`;
    if (mayNotFit) return { knownOutputs: nothingKnown, runs: 0, runMs: undefined, note };
    throw new SluiceError('failed-precondition', `warm-up: ${note}`);
  }
  const knownOutputs = signature.outputs.map((output, index) => {
    const declared = rowDims(signature, output.shape);
    return (
      output.datatype !== 'BYTES' && declared.every((dim) => dim >= 0) && declared.join() === first.dims[index]!.join()
    );
  });
  const plan = generatedPlan(signature, knownOutputs);
  const sizes = batchSizes(signature, serving);
  let slowest: number | undefined;
  for (const rows of serving.warmupCount > 0 ? sizes : []) {
    let best = Infinity;
    for (let round = 0; round < serving.warmupCount; round += 1) {
      signal.throwIfAborted();
      const what = `warm-up with ${rows} rows`;
      const again = round > 0;
      best = Math.min(best, await runEverywhere(pool, what, () => runGenerated(pool, plan, rows, serving, again)));
    }
    slowest = Math.max(slowest ?? 0, best);
  }
  return { knownOutputs, runs: 1 + serving.warmupCount * sizes.length * pool.slots, runMs: slowest, note: '' };
}

/** The sizes that show what batches take. */
function batchSizes(signature: Signature, serving: ServingConfig): readonly number[] {
  if (!signature.batched || serving.maxBatchSize <= 1) return [1];
  return serving.allowedBatchSizes.length > 0 ? serving.allowedBatchSizes : [1, serving.maxBatchSize];
}

/** Runs a batch in every slot of every session at once; gives the least of their milliseconds. */
async function runEverywhere(pool: SessionPool, what: string, run: () => Promise<Ran | SluiceError>): Promise<number> {
  let best = Infinity;
  for (const ran of await Promise.all(Array.from({ length: pool.slots }, run))) {
    if (ran instanceof SluiceError) throw new SluiceError('failed-precondition', `${what}: ${ran.message}`);
    best = Math.min(best, ran.ms);
  }
  return best;
}

/**
 * Warms up the sessions that a version is moved to: one generated row where such rows can be run, then each of its own
 * warm-up requests once.
 * @param before what the whole warm-up found out
 * @throws SluiceError as `warmUp`
 */
export async function warmUpAgain(
  pool: SessionPool,
  signature: Signature,
  serving: ServingConfig,
  before: WarmUpReport,
  options: WarmUpOptions,
): Promise<void> {
  if (before.note === '') {
    const ran = await runGenerated(pool, generatedPlan(signature, before.knownOutputs), 1, serving);
    if (ran instanceof SluiceError) throw new SluiceError('failed-precondition', `warm-up: ${ran.message}`);
  }
  await runRequests(pool, signature, serving, before, options, 1);
}
