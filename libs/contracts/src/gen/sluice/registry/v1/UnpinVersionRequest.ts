// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface UnpinVersionRequest {
  'model'?: (string);
  'version'?: (number | string | Long);
  /**
   * The version's revision.
   */
  'expectedRevision'?: (number | string | Long);
  '_expectedRevision'?: "expectedRevision";
}

export interface UnpinVersionRequest__Output {
  'model': (string);
  'version': (string);
  /**
   * The version's revision.
   */
  'expectedRevision'?: (string);
  '_expectedRevision'?: "expectedRevision";
}
