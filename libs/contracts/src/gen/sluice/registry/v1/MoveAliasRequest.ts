// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface MoveAliasRequest {
  'model'?: (string);
  'alias'?: (string);
  'version'?: (number | string | Long);
  /**
   * The alias's revision; 0 means that it must not exist yet.
   */
  'expectedRevision'?: (number | string | Long);
  /**
   * 0 means 60,000.
   */
  'timeoutMs'?: (number | string | Long);
  '_expectedRevision'?: "expectedRevision";
}

export interface MoveAliasRequest__Output {
  'model': (string);
  'alias': (string);
  'version': (string);
  /**
   * The alias's revision; 0 means that it must not exist yet.
   */
  'expectedRevision'?: (string);
  /**
   * 0 means 60,000.
   */
  'timeoutMs': (string);
  '_expectedRevision'?: "expectedRevision";
}
