// Original file: protos/inference/grpc_service.proto

import type { Long } from '@grpc/proto-loader';

/**
 * One input or output tensor.
 */
export interface _inference_ModelMetadataResponse_TensorMetadata {
  'name'?: (string);
  /**
   * BOOL, UINT8 to UINT64, INT8 to INT64, FP16, FP32, FP64, BF16 or BYTES.
   */
  'datatype'?: (string);
  /**
   * With the batch dimension, -1 where a dimension may vary.
   */
  'shape'?: (number | string | Long)[];
}

/**
 * One input or output tensor.
 */
export interface _inference_ModelMetadataResponse_TensorMetadata__Output {
  'name': (string);
  /**
   * BOOL, UINT8 to UINT64, INT8 to INT64, FP16, FP32, FP64, BF16 or BYTES.
   */
  'datatype': (string);
  /**
   * With the batch dimension, -1 where a dimension may vary.
   */
  'shape': (string)[];
}

export interface ModelMetadataResponse {
  'name'?: (string);
  /**
   * Versions that can be asked for by number.
   */
  'versions'?: (string)[];
  /**
   * Such as `onnxruntime_onnx`.
   */
  'platform'?: (string);
  'inputs'?: (_inference_ModelMetadataResponse_TensorMetadata)[];
  'outputs'?: (_inference_ModelMetadataResponse_TensorMetadata)[];
  /**
   * In the protocol's own file, though not in Triton's: facts about the model that have no field of their own.
   */
  'properties'?: ({[key: string]: string});
}

export interface ModelMetadataResponse__Output {
  'name': (string);
  /**
   * Versions that can be asked for by number.
   */
  'versions': (string)[];
  /**
   * Such as `onnxruntime_onnx`.
   */
  'platform': (string);
  'inputs': (_inference_ModelMetadataResponse_TensorMetadata__Output)[];
  'outputs': (_inference_ModelMetadataResponse_TensorMetadata__Output)[];
  /**
   * In the protocol's own file, though not in Triton's: facts about the model that have no field of their own.
   */
  'properties': ({[key: string]: string});
}
