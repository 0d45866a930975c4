import { datatypeBytes } from '@sluice/domain/datatype';
import type { Signature, TensorSpec } from '@sluice/domain/signature';

/** A tensor of a signature with what comparing it with bytes takes. */
export interface CompiledTensor {
  readonly spec: TensorSpec;
  readonly index: number;
  readonly name: Buffer;
  readonly datatype: Buffer;
  /** Bytes of one element; 0 for BYTES. */
  readonly elementBytes: number;
}

export interface CompiledSignature {
  readonly inputs: readonly CompiledTensor[];
  readonly outputs: readonly CompiledTensor[];
  readonly batched: boolean;
}

const compiled = new WeakMap<Signature, CompiledSignature>();

/** Prepares a signature once; the same object gives the same result. */
export function compileSignature(signature: Signature): CompiledSignature {
  let result = compiled.get(signature);
  if (!result) {
    result = {
      inputs: signature.inputs.map(compileTensor),
      outputs: signature.outputs.map(compileTensor),
      batched: signature.batched,
    };
    compiled.set(signature, result);
  }
  return result;
}

function compileTensor(spec: TensorSpec, index: number): CompiledTensor {
  return {
    spec,
    index,
    name: Buffer.from(spec.name),
    datatype: Buffer.from(spec.datatype),
    elementBytes: datatypeBytes[spec.datatype],
  };
}

/** True when the range of `bytes` holds exactly `expected`. */
export function sameBytes(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): boolean {
  const length = end - start;
  if (length !== expected.length) return false;
  for (let index = 0; index < length; index++) if (bytes[start + index] !== expected[index]) return false;
  return true;
}
