import { graphSignatureOf } from '@sluice/domain/sequence-batching';
import type { ServingConfig } from '@sluice/domain/signature';
import { slotsPerSession } from '../runtime/control-block.ts';
import { bytesOfBatch, bytesOfStates } from '../serving/batch-bound.ts';
import type { Assignment } from './assignment.ts';

/** A thread of Node with ONNX Runtime in it, before it has a model. */
const threadBytes = 9 << 20;
/** While a graph is parsed, its bytes and its tensors are there: what is not known of a model is taken for that. */
const parsedTimes = 2;

const fileBytes = ({ files }: Assignment): number => files.reduce((sum, { size }) => sum + size, 0);

/**
 * The most that a version takes of the memory budget, before it is loaded: by session a thread, its places for batches, and
 * what admission measured (or, for versions of before it measured, twice the files), and the states of its sequences.
 * @param serving how it is run, with batches bounded by memory
 * @param instances sessions that it gets
 */
export function estimatedBytes(assignment: Assignment, serving: ServingConfig, instances: number): number {
  const files = fileBytes(assignment);
  const model = assignment.memoryBytes > 0 ? Math.max(assignment.memoryBytes, files) : parsedTimes * files;
  const { sequenceBatching: sequences } = serving;
  // Nothing stands in place behind a batch of sequences.
  const places = sequences ? 1 : slotsPerSession;
  const batches = places * bytesOfBatch(graphSignatureOf(assignment.signature, sequences), serving);
  const states = bytesOfStates(assignment.signature, serving);
  return instances * (threadBytes + model + batches + states);
}

/**
 * What a version that was loaded holds of the budget. How much the process grew meanwhile is a noisy figure, since requests
 * go on beside the load and memory that others gave back is used again: it lowers the estimate, never under the weights,
 * and never raises it.
 * @param grewBytes resident memory after the load less that before
 */
export function settledBytes(assignment: Assignment, estimate: number, grewBytes: number, instances: number): number {
  const weights = Math.min(instances * fileBytes(assignment), estimate);
  return Math.min(Math.max(grewBytes, weights), estimate);
}
