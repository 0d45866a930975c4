import { datatypeBytes } from '@sluice/domain/datatype';
import type { ServingConfig, Signature, TensorSpec } from '@sluice/domain/signature';
import { elementCount } from '../runtime/batch-plan.ts';
import { rowDims } from './buckets.ts';

/** The most bytes that one batch, inputs and outputs, should take where shapes are known. */
const batchBytes = 256 << 20;

/** Bytes of one row; dynamic dimensions count as 1, and an element of BYTES as one byte. */
function bytesOf(signature: Signature, tensor: TensorSpec): number {
  const dims = rowDims(signature, tensor.shape).map((dim) => (dim < 0 ? 1 : dim));
  return elementCount(dims) * Math.max(1, datatypeBytes[tensor.datatype]);
}

/** Bytes of the largest batch, inputs and outputs, as far as shapes are known. */
export function bytesOfBatch(signature: Signature, serving: ServingConfig): number {
  const perRow = rowBytes(signature);
  return signature.batched ? Math.max(1, serving.maxBatchSize) * perRow : perRow;
}

/** Bytes of the states of all sequences that one instance has slots for. */
export function bytesOfStates({ batched }: Signature, { sequenceBatching, maxBatchSize }: ServingConfig): number {
  const perSlot = (sequenceBatching?.states ?? []).reduce(
    (sum, { datatype, dims }) => sum + elementCount(dims) * datatypeBytes[datatype],
    0,
  );
  return (batched ? Math.max(1, maxBatchSize) : 1) * perSlot;
}

const rowBytes = (signature: Signature): number =>
  [...signature.inputs, ...signature.outputs].reduce((sum, tensor) => sum + bytesOf(signature, tensor), 0);

/**
 * The configuration with a maximum batch that fits into memory: rows that are very wide are batched in smaller numbers, and
 * one is always allowed.
 */
export function boundedServing(signature: Signature, serving: ServingConfig): ServingConfig {
  if (!signature.batched || serving.maxBatchSize <= 1) return serving;
  const most = Math.max(1, Math.floor(batchBytes / Math.max(1, rowBytes(signature))));
  if (most >= serving.maxBatchSize) return serving;
  const allowedBatchSizes = serving.allowedBatchSizes.filter((rows) => rows <= most);
  // The largest size that is allowed and fits is the maximum; where none fits, memory decides.
  const maxBatchSize = allowedBatchSizes.at(-1) ?? most;
  return {
    ...serving,
    maxBatchSize,
    allowedBatchSizes: serving.allowedBatchSizes.length > 0 ? [...allowedBatchSizes.slice(0, -1), maxBatchSize] : [],
    preferredBatchSize: serving.preferredBatchSize.filter((rows) => rows <= maxBatchSize),
  };
}
