// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface UploadArtifactResponse {
  'sha256'?: (string);
  'size'?: (number | string | Long);
  /**
   * False when the store had it already.
   */
  'stored'?: (boolean);
}

export interface UploadArtifactResponse__Output {
  'sha256': (string);
  'size': (string);
  /**
   * False when the store had it already.
   */
  'stored': (boolean);
}
