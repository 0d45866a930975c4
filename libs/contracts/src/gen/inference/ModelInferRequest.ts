// Original file: protos/inference/grpc_service.proto

import type { InferParameter as _inference_InferParameter, InferParameter__Output as _inference_InferParameter__Output } from '../inference/InferParameter.ts';
import type { InferTensorContents as _inference_InferTensorContents, InferTensorContents__Output as _inference_InferTensorContents__Output } from '../inference/InferTensorContents.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * What an input is; its bytes are in `contents` or in `raw_input_contents`.
 */
export interface _inference_ModelInferRequest_InferInputTensor {
  'name'?: (string);
  'datatype'?: (string);
  /**
   * Every dimension counted, the batch dimension too. Empty for a scalar.
   */
  'shape'?: (number | string | Long)[];
  'parameters'?: ({[key: string]: _inference_InferParameter});
  /**
   * Must stay unset in a request that uses `raw_input_contents`.
   */
  'contents'?: (_inference_InferTensorContents | null);
}

/**
 * What an input is; its bytes are in `contents` or in `raw_input_contents`.
 */
export interface _inference_ModelInferRequest_InferInputTensor__Output {
  'name': (string);
  'datatype': (string);
  /**
   * Every dimension counted, the batch dimension too. Empty for a scalar.
   */
  'shape': (string)[];
  'parameters': ({[key: string]: _inference_InferParameter__Output});
  /**
   * Must stay unset in a request that uses `raw_input_contents`.
   */
  'contents': (_inference_InferTensorContents__Output | null);
}

/**
 * An output that the caller wants.
 */
export interface _inference_ModelInferRequest_InferRequestedOutputTensor {
  'name'?: (string);
  'parameters'?: ({[key: string]: _inference_InferParameter});
}

/**
 * An output that the caller wants.
 */
export interface _inference_ModelInferRequest_InferRequestedOutputTensor__Output {
  'name': (string);
  'parameters': ({[key: string]: _inference_InferParameter__Output});
}

/**
 * One inference. Tensors come either all in `raw_input_contents` or each in its own `contents`.
 */
export interface ModelInferRequest {
  'modelName'?: (string);
  /**
   * A number or an alias; empty means the model's release.
   */
  'modelVersion'?: (string);
  /**
   * Chosen by the caller, echoed in the answer, never interpreted.
   */
  'id'?: (string);
  /**
   * Keys that start with `sluice_` are refused.
   */
  'parameters'?: ({[key: string]: _inference_InferParameter});
  'inputs'?: (_inference_ModelInferRequest_InferInputTensor)[];
  /**
   * Empty asks for every output.
   */
  'outputs'?: (_inference_ModelInferRequest_InferRequestedOutputTensor)[];
  /**
   * One entry per input, in the order of `inputs`: elements in row-major order, little-endian, without padding; BOOL
   * is one byte; a BYTES element is its length in four bytes and then its bytes.
   */
  'rawInputContents'?: (Buffer | Uint8Array | string)[];
}

/**
 * One inference. Tensors come either all in `raw_input_contents` or each in its own `contents`.
 */
export interface ModelInferRequest__Output {
  'modelName': (string);
  /**
   * A number or an alias; empty means the model's release.
   */
  'modelVersion': (string);
  /**
   * Chosen by the caller, echoed in the answer, never interpreted.
   */
  'id': (string);
  /**
   * Keys that start with `sluice_` are refused.
   */
  'parameters': ({[key: string]: _inference_InferParameter__Output});
  'inputs': (_inference_ModelInferRequest_InferInputTensor__Output)[];
  /**
   * Empty asks for every output.
   */
  'outputs': (_inference_ModelInferRequest_InferRequestedOutputTensor__Output)[];
  /**
   * One entry per input, in the order of `inputs`: elements in row-major order, little-endian, without padding; BOOL
   * is one byte; a BYTES element is its length in four bytes and then its bytes.
   */
  'rawInputContents': (Buffer)[];
}
