// Original file: protos/inference/grpc_service.proto

import type { Long } from '@grpc/proto-loader';

/**
 * The elements of a tensor, flattened in row-major order, in the one field that belongs to the tensor's datatype.
 * FP16 and BF16 have none: they travel as raw bytes only.
 */
export interface InferTensorContents {
  /**
   * BOOL.
   */
  'boolContents'?: (boolean)[];
  /**
   * INT8, INT16 and INT32.
   */
  'intContents'?: (number)[];
  /**
   * INT64.
   */
  'int64Contents'?: (number | string | Long)[];
  /**
   * UINT8, UINT16 and UINT32.
   */
  'uintContents'?: (number)[];
  /**
   * UINT64.
   */
  'uint64Contents'?: (number | string | Long)[];
  /**
   * FP32.
   */
  'fp32Contents'?: (number | string)[];
  /**
   * FP64.
   */
  'fp64Contents'?: (number | string)[];
  /**
   * BYTES, an entry per element.
   */
  'bytesContents'?: (Buffer | Uint8Array | string)[];
}

/**
 * The elements of a tensor, flattened in row-major order, in the one field that belongs to the tensor's datatype.
 * FP16 and BF16 have none: they travel as raw bytes only.
 */
export interface InferTensorContents__Output {
  /**
   * BOOL.
   */
  'boolContents': (boolean)[];
  /**
   * INT8, INT16 and INT32.
   */
  'intContents': (number)[];
  /**
   * INT64.
   */
  'int64Contents': (string)[];
  /**
   * UINT8, UINT16 and UINT32.
   */
  'uintContents': (number)[];
  /**
   * UINT64.
   */
  'uint64Contents': (string)[];
  /**
   * FP32.
   */
  'fp32Contents': (number)[];
  /**
   * FP64.
   */
  'fp64Contents': (number)[];
  /**
   * BYTES, an entry per element.
   */
  'bytesContents': (Buffer)[];
}
