import type { Signature } from '@sluice/domain/signature';
import { hasFixedRows } from '../serving/buckets.ts';

/**
 * What a version may be to share a thread: a thread costs 9 MB, so many tiny models would cost more than they are; but a
 * batch of one, and the opening of its graph, makes the others wait. So only what is small, was seen to be quick in both and
 * cannot be made slow by its input may.
 */
export const shareable = { bytes: 1 << 20, runMs: 2, openMs: 5 } as const;

/** Operators that run a graph of their own, as often as an input says. */
const controlFlow = ['If', 'Loop', 'Scan', 'SequenceMap'].map((name) => {
  // Field 4 of a NodeProto, its op_type: tag, length, name.
  return Buffer.concat([Buffer.from([0x22, name.length]), Buffer.from(name)]);
});

/**
 * Whether the work of a row may depend on what is asked: rows of dynamic shape, or control flow in the graph. Bytes that only
 * look like an operator's count as one: then a thread is not shared that could be.
 * @param graph the bytes of the ONNX file
 */
export function hasOpenCost(signature: Signature, graph: Uint8Array): boolean {
  if (!signature.inputs.every((input) => hasFixedRows(signature, input))) return true;
  const bytes = Buffer.from(graph.buffer, graph.byteOffset, graph.byteLength);
  return controlFlow.some((operator) => bytes.includes(operator));
}

/** Batches in a row that are slow before a version has to leave; a busy machine makes single ones slow. */
const patience = 3;
/** One batch that takes so many times what may be is enough. */
const farTooLong = 10;

/** Watches the batches of a version that shares a thread. */
export class Slowness {
  #slow = 0;

  /** @returns true when the version should have a thread of its own from now on */
  ran(inferUs: number): boolean {
    const ms = inferUs / 1000;
    this.#slow = ms > shareable.runMs ? this.#slow + 1 : 0;
    return this.#slow >= patience || ms > farTooLong * shareable.runMs;
  }
}
