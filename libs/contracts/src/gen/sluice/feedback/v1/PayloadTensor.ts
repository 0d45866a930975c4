// Original file: protos/sluice/feedback/v1/predictions.proto

import type { InferTensorContents as _inference_InferTensorContents, InferTensorContents__Output as _inference_InferTensorContents__Output } from '../../../inference/InferTensorContents.ts';
import type { Long } from '@grpc/proto-loader';

export interface PayloadTensor {
  'name'?: (string);
  'datatype'?: (string);
  'shape'?: (number | string | Long)[];
  /**
   * Of an input, by column; of the version's signature.
   */
  'featureNames'?: (string)[];
  /**
   * Of an output, by index.
   */
  'classNames'?: (string)[];
  /**
   * Of the whole tensor.
   */
  'elements'?: (number | string | Long);
  /**
   * The first of them are given: `max_values` at most, and 1 MiB of BYTES.
   */
  'given'?: (number | string | Long);
  /**
   * In the field of the datatype, as requests have typed contents. FP16 and BF16 are in `fp32_contents`.
   */
  'contents'?: (_inference_InferTensorContents | null);
}

export interface PayloadTensor__Output {
  'name': (string);
  'datatype': (string);
  'shape': (string)[];
  /**
   * Of an input, by column; of the version's signature.
   */
  'featureNames': (string)[];
  /**
   * Of an output, by index.
   */
  'classNames': (string)[];
  /**
   * Of the whole tensor.
   */
  'elements': (string);
  /**
   * The first of them are given: `max_values` at most, and 1 MiB of BYTES.
   */
  'given': (string);
  /**
   * In the field of the datatype, as requests have typed contents. FP16 and BF16 are in `fp32_contents`.
   */
  'contents': (_inference_InferTensorContents__Output | null);
}
