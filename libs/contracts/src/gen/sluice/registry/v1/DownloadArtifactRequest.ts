// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface DownloadArtifactRequest {
  'sha256'?: (string);
  /**
   * Where to go on after a broken download.
   */
  'offset'?: (number | string | Long);
}

export interface DownloadArtifactRequest__Output {
  'sha256': (string);
  /**
   * Where to go on after a broken download.
   */
  'offset': (string);
}
