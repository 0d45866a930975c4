// Original file: protos/sluice/registry/v1/types.proto

import type { Long } from '@grpc/proto-loader';

export interface WarmupInput {
  'name'?: (string);
  /**
   * With the batch dimension, without anything dynamic. Rows of `raw_data` are as many as the request has, or 1 for all.
   */
  'shape'?: (number | string | Long)[];
  /**
   * Zeros, or empty text.
   */
  'zeroData'?: (boolean);
  /**
   * Values drawn from the declared ranges, the same at every load.
   */
  'randomData'?: (boolean);
  /**
   * As in `raw_input_contents` of a ModelInferRequest.
   */
  'rawData'?: (Buffer | Uint8Array | string);
  'source'?: "zeroData"|"randomData"|"rawData";
}

export interface WarmupInput__Output {
  'name': (string);
  /**
   * With the batch dimension, without anything dynamic. Rows of `raw_data` are as many as the request has, or 1 for all.
   */
  'shape': (string)[];
  /**
   * Zeros, or empty text.
   */
  'zeroData'?: (boolean);
  /**
   * Values drawn from the declared ranges, the same at every load.
   */
  'randomData'?: (boolean);
  /**
   * As in `raw_input_contents` of a ModelInferRequest.
   */
  'rawData'?: (Buffer);
  'source'?: "zeroData"|"randomData"|"rawData";
}
