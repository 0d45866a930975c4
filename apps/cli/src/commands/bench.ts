import type { Datatype } from '@sluice/domain/datatype';
import { SluiceError } from '@sluice/domain/errors';
import { encodeTensor, type PlainValue } from '@sluice/inference/tensor-data';
import { type CliContext, progress, showJson } from '../context.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { plural, showFields, showMilliseconds } from '../format.ts';
import type { InputSpec } from '../infer/columns.ts';
import { type KnownModel, knownModel } from '../infer/model-spec.ts';
import { type InferenceTarget, sendOne } from '../infer/run-requests.ts';
import type { RequestTensor } from '../infer/tensors.ts';

export interface BenchOptions {
  readonly version: string;
  readonly inFlight: number;
  readonly seconds: number;
  /** Rows of one request. */
  readonly rows: number;
  /** Size of dynamic dimensions beside the batch. */
  readonly dimension: number;
  readonly timeoutSeconds: number;
}

export interface BenchResult {
  readonly requests: number;
  readonly failures: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly rowsPerSecond: number;
  readonly latencyMs: { readonly p50: number; readonly p90: number; readonly p99: number; readonly max: number };
  /** Failed requests by the kind of their failure. */
  readonly failuresByKind: Readonly<Record<string, number>>;
}

/**
 * `sluice bench MODEL`: keeps a number of requests in flight for a while. A quick look, not a measurement of the
 * platform's limits: the generator is one Node process and shares the machine. `npm run bench` is for that.
 */
export async function bench(context: CliContext, model: string, options: BenchOptions): Promise<void> {
  const known = await knownModel(context, model, options.version);
  const request = { tensors: syntheticTensors(known, options.rows, options.dimension), rows: options.rows };
  const target: InferenceTarget = {
    model,
    version: options.version,
    outputs: [],
    timeoutMs: options.timeoutSeconds * 1000,
  };
  const first = await sendOne(context, target, request);
  progress(
    context,
    `${model} version ${first.version}: ${options.inFlight} in flight, ${plural(options.rows, 'row')} each, ${options.seconds} s`,
  );
  const result = await load(context, options, () => sendOne(context, target, request));
  if (context.json) showJson(context, { model, version: first.version, ...result });
  else context.terminal.out(describe(result));
  if (result.failures > 0) {
    throw new CliError(exitCodes.failed, `${result.failures} of ${result.requests + result.failures} requests failed`);
  }
}

async function load(context: CliContext, options: BenchOptions, send: () => Promise<unknown>): Promise<BenchResult> {
  const { clock, signal } = context;
  const latencies: number[] = [];
  const failuresByKind: Record<string, number> = {};
  const begun = clock.monotonic();
  const end = begun + options.seconds * 1000;
  const worker = async (): Promise<void> => {
    while (clock.monotonic() < end && !signal.aborted) {
      const sent = clock.monotonic();
      try {
        await send();
        latencies.push(clock.monotonic() - sent);
      } catch (error) {
        const { kind } = SluiceError.from(error);
        failuresByKind[kind] = (failuresByKind[kind] ?? 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, worker));
  const seconds = (clock.monotonic() - begun) / 1000;
  return summarize(latencies, failuresByKind, seconds, options.rows);
}

/** Rates and percentiles of what was measured. */
export function summarize(
  latencies: readonly number[],
  failuresByKind: Readonly<Record<string, number>>,
  seconds: number,
  rows: number,
): BenchResult {
  const sorted = latencies.toSorted((left, right) => left - right);
  const failures = Object.values(failuresByKind).reduce((sum, count) => sum + count, 0);
  const requestsPerSecond = seconds > 0 ? sorted.length / seconds : 0;
  return {
    requests: sorted.length,
    failures,
    seconds,
    requestsPerSecond,
    rowsPerSecond: requestsPerSecond * rows,
    latencyMs: {
      p50: percentile(sorted, 0.5),
      p90: percentile(sorted, 0.9),
      p99: percentile(sorted, 0.99),
      max: sorted.at(-1) ?? 0,
    },
    failuresByKind,
  };
}

/** The smallest value that at least a share of the sorted values does not exceed; 0 for none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function describe(result: BenchResult): string {
  const { latencyMs } = result;
  const kinds = Object.entries(result.failuresByKind).map(([kind, count]) => `${count} ${kind}`);
  return showFields([
    ['requests', result.requests],
    ['failed', kinds.join(', ') || '0'],
    ['requests/s', result.requestsPerSecond.toFixed(1)],
    ['rows/s', result.rowsPerSecond.toFixed(1)],
    ['p50', showMilliseconds(latencyMs.p50)],
    ['p90', showMilliseconds(latencyMs.p90)],
    ['p99', showMilliseconds(latencyMs.p99)],
    ['max', showMilliseconds(latencyMs.max)],
  ]);
}

/** Inputs of the model's shape, all of one small value that any datatype can hold. */
export function syntheticTensors(model: KnownModel, rows: number, dimension: number): readonly RequestTensor[] {
  return model.inputs.map((spec) => {
    const shape = shapeOf(spec, model.batched, rows, dimension);
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Array.from({ length: count }, () => valueOf(spec.datatype));
    return { name: spec.name, datatype: spec.datatype, shape, raw: encodeTensor(spec.datatype, values) };
  });
}

const shapeOf = (spec: InputSpec, batched: boolean, rows: number, dimension: number) =>
  spec.shape.map((size, axis) => (batched && axis === 0 ? rows : size === -1 ? dimension : size));

function valueOf(datatype: Datatype): PlainValue {
  switch (datatype) {
    case 'BYTES':
      return '0';
    case 'BOOL':
      return false;
    case 'INT64':
    case 'UINT64':
      return 0n;
    default:
      return 0;
  }
}
