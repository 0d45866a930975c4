// Original file: protos/inference/grpc_service.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Offers memory of a CUDA device for tensors.
 */
export interface CudaSharedMemoryRegisterRequest {
  'name'?: (string);
  /**
   * The handle as the CUDA driver serializes it.
   */
  'rawHandle'?: (Buffer | Uint8Array | string);
  'deviceId'?: (number | string | Long);
  'byteSize'?: (number | string | Long);
}

/**
 * Offers memory of a CUDA device for tensors.
 */
export interface CudaSharedMemoryRegisterRequest__Output {
  'name': (string);
  /**
   * The handle as the CUDA driver serializes it.
   */
  'rawHandle': (Buffer);
  'deviceId': (string);
  'byteSize': (string);
}
