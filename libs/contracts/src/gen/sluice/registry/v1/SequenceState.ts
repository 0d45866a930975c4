// Original file: protos/sluice/registry/v1/types.proto

import type { Long } from '@grpc/proto-loader';

export interface SequenceState {
  'inputName'?: (string);
  'outputName'?: (string);
  'datatype'?: (string);
  /**
   * Of one row, without the batch dimension; nothing is dynamic.
   */
  'dims'?: (number | string | Long)[];
  'zeroData'?: (boolean);
  /**
   * One row, as in `raw_input_contents` of a ModelInferRequest.
   */
  'rawData'?: (Buffer | Uint8Array | string);
  /**
   * What a sequence starts with.
   */
  'initialState'?: "zeroData"|"rawData";
}

export interface SequenceState__Output {
  'inputName': (string);
  'outputName': (string);
  'datatype': (string);
  /**
   * Of one row, without the batch dimension; nothing is dynamic.
   */
  'dims': (string)[];
  'zeroData'?: (boolean);
  /**
   * One row, as in `raw_input_contents` of a ModelInferRequest.
   */
  'rawData'?: (Buffer);
  /**
   * What a sequence starts with.
   */
  'initialState'?: "zeroData"|"rawData";
}
