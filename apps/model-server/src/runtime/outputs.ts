import { SluiceError } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { RuntimeDatatype } from './datatypes.ts';

/** One output of a batch that ran. */
export interface OutputRows {
  readonly name: string;
  readonly datatype: RuntimeDatatype;
  /** Shape of one row, or of the whole tensor without a batch dimension. */
  readonly dims: readonly number[];
  /** All rows as the protocol writes them. Only good until the batch's callback returns: the memory is used again. */
  readonly bytes: Uint8Array;
  /** Bytes of one row; -1 for BYTES, whose rows start where `rowStarts` says. */
  readonly rowBytes: number;
  readonly rowStarts: Uint32Array | undefined;
}

/** The outputs of a batch, in the order of its plan. */
export interface BatchOutputs {
  readonly rows: number;
  readonly outputs: readonly OutputRows[];
}

/** Where rows `from` to `to` of an output start and end in its bytes. */
export function rowRange(output: OutputRows, from: number, to: number): { start: number; end: number } {
  if (output.rowStarts) return { start: output.rowStarts[from]!, end: output.rowStarts[to]! };
  return { start: from * output.rowBytes, end: to * output.rowBytes };
}

/** What ONNX Runtime says when a tensor does not fit the graph's declared inputs. */
const refusals = [': INVALID_ARGUMENT :', 'Got invalid dimensions for input', 'Invalid rank for input'];

/**
 * What ONNX Runtime's failure of a run means to the callers. An operator that fails counts as the model's failure, even
 * if another input would have passed: only so can a candidate that fails be told from one that works. The cause is what a
 * log may say of it: ONNX Runtime's own words quote the input.
 */
export function batchError(message: string): SluiceError {
  const reason = clip(message.replaceAll(/\s+/g, ' ').trim(), 500);
  if (refusals.some((refusal) => message.includes(refusal))) {
    return new SluiceError('invalid-argument', `the model refused the input: ${reason}`);
  }
  if (/failed to allocate memory|out of memory|bad_alloc/i.test(message)) {
    return new SluiceError('resource-exhausted', `the model ran out of memory: ${reason}`);
  }
  const operator = /while running (\w+) node/.exec(message)?.[1];
  const cause = operator === undefined ? 'ONNX Runtime does not say which operator' : `operator ${operator}`;
  return new SluiceError('model-failed', `the model failed: ${reason}`, { cause });
}
