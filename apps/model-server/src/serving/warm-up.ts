import { SluiceError } from '@sluice/domain/errors';
import type { ServingConfig, Signature } from '@sluice/domain/signature';
import type { BatchPlan } from '../runtime/batch-plan.ts';
import { checkRuntimeDatatype } from '../runtime/datatypes.ts';
import type { SessionPool } from '../runtime/session-pool.ts';
import type { BatchOutcome } from '../runtime/session-thread.ts';
import { hasFixedRows, newPlanId, rowDims, type KnownOutputs } from './buckets.ts';

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
  /** Why it stopped early: only for models whose dynamic dimensions generated rows may not fit. */
  readonly note: string;
}

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

/** Runs one generated batch; resolves with the outputs' row shapes, or why it failed. */
function runGenerated(pool: SessionPool, plan: BatchPlan, rows: number): Promise<Ran | SluiceError> {
  const stringBytes = plan.inputs.map((input) => {
    const elements = input.dims.reduce((product, dim) => product * dim, rows);
    return input.datatype === 'BYTES' ? 4 * elements : 0;
  });
  return new Promise((resolve) => {
    const done = (outcome: BatchOutcome): void => {
      if (!outcome.ok) resolve(outcome.error);
      else resolve({ dims: outcome.outputs.outputs.map((output) => output.dims), ms: outcome.timing.inferUs / 1000 });
    };
    const fill = (targets: readonly Uint8Array[]): void => targets.forEach((target) => target.fill(0));
    pool.submit({ plan, rows, maxRows: rows, stringBytes, fill, done });
  });
}

/**
 * Runs generated batches of one row and of the maximum on every session, and finds out which outputs really have the
 * shape that the signature states: those may be computed straight into shared memory.
 * @throws SluiceError failed-precondition when a model whose shapes are all fixed cannot run its own shape
 */
export async function warmUp(pool: SessionPool, signature: Signature, serving: ServingConfig): Promise<WarmUpReport> {
  const nothingKnown = signature.outputs.map(() => false);
  const first = await runGenerated(pool, generatedPlan(signature, nothingKnown), 1);
  if (first instanceof SluiceError) {
    const dynamic = signature.inputs.some((input) => !hasFixedRows(signature, input));
    const note = `a generated row could not be run: ${first.message}`;
    if (dynamic) return { knownOutputs: nothingKnown, runs: 0, runMs: undefined, note };
    throw new SluiceError('failed-precondition', `warm-up: ${note}`);
  }
  const knownOutputs = signature.outputs.map((output, index) => {
    const declared = rowDims(signature, output.shape);
    return (
      output.datatype !== 'BYTES' && declared.every((dim) => dim >= 0) && declared.join() === first.dims[index]!.join()
    );
  });
  const plan = generatedPlan(signature, knownOutputs);
  const sizes = signature.batched && serving.maxBatchSize > 1 ? [1, serving.maxBatchSize] : [1];
  const best = new Map<number, number>();
  for (let round = 0; round < serving.warmupCount; round += 1) {
    for (const rows of sizes) {
      const sessions = Array.from({ length: pool.slots }, () => runGenerated(pool, plan, rows));
      for (const ran of await Promise.all(sessions)) {
        if (ran instanceof SluiceError) {
          throw new SluiceError('failed-precondition', `warm-up with ${rows} rows: ${ran.message}`);
        }
        best.set(rows, Math.min(best.get(rows) ?? Infinity, ran.ms));
      }
    }
  }
  const runs = 1 + serving.warmupCount * sizes.length * pool.slots;
  return { knownOutputs, runs, runMs: best.size > 0 ? Math.max(...best.values()) : undefined, note: '' };
}

/** Runs one generated row, so that a session that was loaded again has run once before it is asked. */
export async function touch(pool: SessionPool, signature: Signature): Promise<void> {
  const plan = generatedPlan(
    signature,
    signature.outputs.map(() => false),
  );
  const ran = await runGenerated(pool, plan, 1);
  if (ran instanceof SluiceError) throw new SluiceError('failed-precondition', `warm-up: ${ran.message}`);
}
