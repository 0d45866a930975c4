// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface EndReleaseRequest {
  'model'?: (string);
  /**
   * The revision of the release.
   */
  'expectedRevision'?: (number | string | Long);
  '_expectedRevision'?: "expectedRevision";
}

export interface EndReleaseRequest__Output {
  'model': (string);
  /**
   * The revision of the release.
   */
  'expectedRevision'?: (string);
  '_expectedRevision'?: "expectedRevision";
}
