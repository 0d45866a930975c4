// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface ApproveRequest {
  'model'?: (string);
  'version'?: (number | string | Long);
  /**
   * Empty means `champion`.
   */
  'alias'?: (string);
  /**
   * The version's revision; approving and pinning change it.
   */
  'expectedRevision'?: (number | string | Long);
  '_expectedRevision'?: "expectedRevision";
}

export interface ApproveRequest__Output {
  'model': (string);
  'version': (string);
  /**
   * Empty means `champion`.
   */
  'alias': (string);
  /**
   * The version's revision; approving and pinning change it.
   */
  'expectedRevision'?: (string);
  '_expectedRevision'?: "expectedRevision";
}
