// Original file: protos/inference/grpc_service.proto

import type { ModelInferResponse as _inference_ModelInferResponse, ModelInferResponse__Output as _inference_ModelInferResponse__Output } from '../inference/ModelInferResponse.ts';

/**
 * One answer on a stream.
 */
export interface ModelStreamInferResponse {
  /**
   * Empty when the inference succeeded.
   */
  'errorMessage'?: (string);
  'inferResponse'?: (_inference_ModelInferResponse | null);
}

/**
 * One answer on a stream.
 */
export interface ModelStreamInferResponse__Output {
  /**
   * Empty when the inference succeeded.
   */
  'errorMessage': (string);
  'inferResponse': (_inference_ModelInferResponse__Output | null);
}
