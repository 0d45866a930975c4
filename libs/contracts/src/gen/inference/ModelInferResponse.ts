// Original file: protos/inference/grpc_service.proto

import type { InferParameter as _inference_InferParameter, InferParameter__Output as _inference_InferParameter__Output } from '../inference/InferParameter.ts';
import type { InferTensorContents as _inference_InferTensorContents, InferTensorContents__Output as _inference_InferTensorContents__Output } from '../inference/InferTensorContents.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * What an output is; its bytes are in `raw_output_contents`.
 */
export interface _inference_ModelInferResponse_InferOutputTensor {
  'name'?: (string);
  'datatype'?: (string);
  'shape'?: (number | string | Long)[];
  'parameters'?: ({[key: string]: _inference_InferParameter});
  'contents'?: (_inference_InferTensorContents | null);
}

/**
 * What an output is; its bytes are in `raw_output_contents`.
 */
export interface _inference_ModelInferResponse_InferOutputTensor__Output {
  'name': (string);
  'datatype': (string);
  'shape': (string)[];
  'parameters': ({[key: string]: _inference_InferParameter__Output});
  'contents': (_inference_InferTensorContents__Output | null);
}

/**
 * The answer; its tensors are always in `raw_output_contents`.
 */
export interface ModelInferResponse {
  'modelName'?: (string);
  /**
   * The number of the version that ran.
   */
  'modelVersion'?: (string);
  /**
   * The id of the request.
   */
  'id'?: (string);
  /**
   * A router adds `prediction_id` and `sluice_arm`.
   */
  'parameters'?: ({[key: string]: _inference_InferParameter});
  'outputs'?: (_inference_ModelInferResponse_InferOutputTensor)[];
  /**
   * One entry per output, in the order of `outputs`, laid out as raw inputs are.
   */
  'rawOutputContents'?: (Buffer | Uint8Array | string)[];
}

/**
 * The answer; its tensors are always in `raw_output_contents`.
 */
export interface ModelInferResponse__Output {
  'modelName': (string);
  /**
   * The number of the version that ran.
   */
  'modelVersion': (string);
  /**
   * The id of the request.
   */
  'id': (string);
  /**
   * A router adds `prediction_id` and `sluice_arm`.
   */
  'parameters': ({[key: string]: _inference_InferParameter__Output});
  'outputs': (_inference_ModelInferResponse_InferOutputTensor__Output)[];
  /**
   * One entry per output, in the order of `outputs`, laid out as raw inputs are.
   */
  'rawOutputContents': (Buffer)[];
}
