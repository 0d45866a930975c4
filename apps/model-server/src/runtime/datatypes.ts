import { datatypeBytes, type Datatype } from '@sluice/domain/datatype';
import { invalidArgument } from '@sluice/domain/errors';

/** Datatypes that ONNX Runtime can take and give; BF16 is the one of the protocol that its Node binding lacks. */
export type RuntimeDatatype = Exclude<Datatype, 'BF16'>;

/** What onnxruntime-node calls them. */
export const ortTypes = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Record<RuntimeDatatype, string>;

export type OrtType = (typeof ortTypes)[RuntimeDatatype];

/** Checks that sessions can carry `datatype`; `where` names the tensor for the message. */
export function checkRuntimeDatatype(datatype: Datatype, where: string): RuntimeDatatype {
  if (datatype === 'BF16') {
    throw invalidArgument(
      `${where}: datatype BF16 cannot be served, ONNX Runtime's Node binding has no BF16 tensors; export the model with FP16 or FP32 inputs and outputs`,
    );
  }
  return datatype;
}

/** A view of `count` elements in shared memory, of the array type that onnxruntime-node wants for the datatype. */
export function elementsView(
  datatype: Exclude<RuntimeDatatype, 'BYTES'>,
  buffer: SharedArrayBuffer,
  byteOffset: number,
  count: number,
): ArrayBufferView {
  switch (datatype) {
    case 'BOOL':
    case 'UINT8':
      return new Uint8Array(buffer, byteOffset, count);
    // FP16 travels as its bits: see the note on Float16Array in session-worker.ts.
    case 'UINT16':
    case 'FP16':
      return new Uint16Array(buffer, byteOffset, count);
    case 'UINT32':
      return new Uint32Array(buffer, byteOffset, count);
    case 'UINT64':
      return new BigUint64Array(buffer, byteOffset, count);
    case 'INT8':
      return new Int8Array(buffer, byteOffset, count);
    case 'INT16':
      return new Int16Array(buffer, byteOffset, count);
    case 'INT32':
      return new Int32Array(buffer, byteOffset, count);
    case 'INT64':
      return new BigInt64Array(buffer, byteOffset, count);
    case 'FP32':
      return new Float32Array(buffer, byteOffset, count);
    case 'FP64':
      return new Float64Array(buffer, byteOffset, count);
  }
}

/** Bytes of one element; 0 for BYTES. */
export function elementBytes(datatype: RuntimeDatatype): number {
  return datatypeBytes[datatype];
}
