// Original file: protos/inference/grpc_service.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Offers a region of this machine's shared memory for tensors.
 */
export interface SystemSharedMemoryRegisterRequest {
  'name'?: (string);
  'key'?: (string);
  'offset'?: (number | string | Long);
  'byteSize'?: (number | string | Long);
}

/**
 * Offers a region of this machine's shared memory for tensors.
 */
export interface SystemSharedMemoryRegisterRequest__Output {
  'name': (string);
  'key': (string);
  'offset': (string);
  'byteSize': (string);
}
