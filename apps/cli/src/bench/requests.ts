import { toParameters } from '@sluice/client/parameters';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { usageError } from '../exit-codes.ts';
import type { RowInput } from './input-shapes.ts';
import type { BenchPlan } from './options.ts';
import { SeededRandom } from './seeded-random.ts';
import { type Row, type RowTensor, randomRow, zeroRow } from './synthetic-data.ts';
import { readDataFile } from './data-file.ts';
import type { Target } from './target.ts';

/** All requests of a run together: they are built before it and stay in memory. */
const mostBytes = 512 * 1024 * 1024;

type RequestPlan = Pick<BenchPlan, 'model' | 'version' | 'batchSize' | 'data' | 'parameters' | 'seed'>;

/**
 * Builds the requests that a run sends in turn. A batch is made of rows that follow each other, from the first again after the last.
 *
 * @param readFile gives the text of the data file
 * @throws CliError usage when the data does not fit the model
 */
export function buildRequests(
  plan: RequestPlan,
  target: Pick<Target, 'batched' | 'maxBatchSize'>,
  inputs: readonly RowInput[],
  readFile: (path: string) => string,
): readonly Uint8Array[] {
  checkBatch(plan, target);
  const rows = rowsOf(plan, inputs, readFile);
  const count = rows.length / greatestCommonDivisor(rows.length, plan.batchSize);
  const rowBytes = rows.reduce(
    (most, row) =>
      Math.max(
        most,
        row.reduce((sum, { raw }) => sum + raw.byteLength, 0),
      ),
    0,
  );
  if (rowBytes * plan.batchSize * count > mostBytes)
    throw usageError(
      `the requests of the data would take more than ${mostBytes / 1024 / 1024} MiB: give fewer entries or a smaller batch`,
    );
  return Array.from({ length: count }, (_, index) => {
    const batch = Array.from(
      { length: plan.batchSize },
      (__, at) => rows[(index * plan.batchSize + at) % rows.length]!,
    );
    return requestOf(plan, target.batched, inputs, batch);
  });
}

function checkBatch(
  { model, batchSize }: RequestPlan,
  { batched, maxBatchSize }: Pick<Target, 'batched' | 'maxBatchSize'>,
): void {
  if (!batched && batchSize > 1) throw usageError(`-b ${batchSize}: ${model} does not take batches`);
  if (maxBatchSize > 0 && batchSize > maxBatchSize)
    throw usageError(`-b ${batchSize}: ${model} takes at most ${maxBatchSize} rows a request`);
}

function rowsOf(
  { data, seed }: RequestPlan,
  inputs: readonly RowInput[],
  readFile: (path: string) => string,
): readonly Row[] {
  switch (data.kind) {
    case 'zero':
      return [zeroRow(inputs)];
    case 'random':
      return [randomRow(inputs, new SeededRandom(seed), data.stringLength)];
    case 'file':
      return readDataFile(readFile(data.path), inputs, data.path);
  }
}

function requestOf(plan: RequestPlan, batched: boolean, inputs: readonly RowInput[], rows: readonly Row[]): Uint8Array {
  const tensors = inputs.map(({ spec }, index) => {
    const parts = rows.map((row) => row[index]!);
    checkShapes(parts, spec.name);
    const { shape } = parts[0]!;
    const data = parts.length === 1 ? parts[0]!.raw : Buffer.concat(parts.map(({ raw }) => raw));
    return { name: spec.name, datatype: spec.datatype, shape: batched ? [parts.length, ...shape] : shape, data };
  });
  return buildInferRequest({
    modelName: plan.model,
    ...(plan.version !== '' && { modelVersion: plan.version }),
    parameters: toParameters(Object.fromEntries(plan.parameters)),
    inputs: tensors,
  });
}

function checkShapes(parts: readonly RowTensor[], name: string): void {
  const first = parts[0]!.shape.join(', ');
  const other = parts.find(({ shape }) => shape.join(', ') !== first);
  if (other)
    throw usageError(
      `rows of different shapes of "${name}", [${first}] and [${other.shape.join(', ')}], do not make a batch: give -b 1`,
    );
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}
