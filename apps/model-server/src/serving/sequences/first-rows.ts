import type { ControlInput, SequenceBatching } from '@sluice/domain/sequence-batching';
import { encodeTensor } from '@sluice/inference/tensor-data';

/**
 * One row of a tensor that the runtime fills, as it is in the first request of a sequence; undefined for what is none of
 * these. An empty row stands for zeros.
 */
export function firstRow(sequences: SequenceBatching | undefined, input: string): Uint8Array | undefined {
  const control = sequences?.controlInputs.find(({ name }) => name === input);
  if (control) return firstControl(control);
  const state = sequences?.states.find(({ inputName }) => inputName === input);
  return state && Buffer.from(state.initialBase64, 'base64');
}

function firstControl({ kind, datatype, falseValue, trueValue }: ControlInput): Uint8Array {
  if (kind === 'corrid') return encodeTensor(datatype, [datatype === 'BYTES' ? 'warm-up' : 1]);
  return encodeTensor(datatype, [kind === 'end' ? falseValue : trueValue]);
}

/** Rows of which each is `row`, one after the other. */
export function repeated(row: Uint8Array, rows: number): Uint8Array {
  return Buffer.concat(Array.from({ length: rows }, () => row));
}
