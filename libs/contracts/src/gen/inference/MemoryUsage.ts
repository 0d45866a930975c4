// Original file: protos/inference/grpc_service.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Memory that a version occupies on one device.
 */
export interface MemoryUsage {
  'type'?: (string);
  'id'?: (number | string | Long);
  'byteSize'?: (number | string | Long);
}

/**
 * Memory that a version occupies on one device.
 */
export interface MemoryUsage__Output {
  'type': (string);
  'id': (string);
  'byteSize': (string);
}
