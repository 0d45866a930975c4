// Original file: protos/inference/model_config.proto

import type { Long } from '@grpc/proto-loader';

/**
 * The shape that the model itself sees, where it differs from the one that clients send.
 */
export interface ModelTensorReshape {
  'shape'?: (number | string | Long)[];
}

/**
 * The shape that the model itself sees, where it differs from the one that clients send.
 */
export interface ModelTensorReshape__Output {
  'shape': (string)[];
}
