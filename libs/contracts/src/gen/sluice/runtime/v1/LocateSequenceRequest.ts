// Original file: protos/sluice/runtime/v1/runtime.proto

import type { Long } from '@grpc/proto-loader';

export interface LocateSequenceRequest {
  'model'?: (string);
  /**
   * Of int64_param its 64 bits as they are (two's complement), of uint64_param its value; 0 is no sequence.
   */
  'number'?: (number | string | Long);
  /**
   * Of string_param; empty is no sequence.
   */
  'text'?: (string);
  /**
   * 0: any version of the model.
   */
  'version'?: (number | string | Long);
  /**
   * As the parameter `sequence_id` has it. A number and a text are never the same sequence.
   */
  'id'?: "number"|"text";
}

export interface LocateSequenceRequest__Output {
  'model': (string);
  /**
   * Of int64_param its 64 bits as they are (two's complement), of uint64_param its value; 0 is no sequence.
   */
  'number'?: (string);
  /**
   * Of string_param; empty is no sequence.
   */
  'text'?: (string);
  /**
   * 0: any version of the model.
   */
  'version': (string);
  /**
   * As the parameter `sequence_id` has it. A number and a text are never the same sequence.
   */
  'id'?: "number"|"text";
}
