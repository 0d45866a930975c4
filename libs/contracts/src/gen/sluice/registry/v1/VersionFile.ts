// Original file: protos/sluice/registry/v1/types.proto

import type { Long } from '@grpc/proto-loader';

export interface VersionFile {
  /**
   * Relative to the pushed folder, with forward slashes.
   */
  'path'?: (string);
  /**
   * SHA-256 in lower-case hex.
   */
  'sha256'?: (string);
  'size'?: (number | string | Long);
}

export interface VersionFile__Output {
  /**
   * Relative to the pushed folder, with forward slashes.
   */
  'path': (string);
  /**
   * SHA-256 in lower-case hex.
   */
  'sha256': (string);
  'size': (string);
}
