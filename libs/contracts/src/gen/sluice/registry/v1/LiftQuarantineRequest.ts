// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface LiftQuarantineRequest {
  'model'?: (string);
  'version'?: (number | string | Long);
  /**
   * The pool whose quarantine ends; empty means all.
   */
  'pool'?: (string);
  /**
   * The version's revision.
   */
  'expectedRevision'?: (number | string | Long);
  '_expectedRevision'?: "expectedRevision";
}

export interface LiftQuarantineRequest__Output {
  'model': (string);
  'version': (string);
  /**
   * The pool whose quarantine ends; empty means all.
   */
  'pool': (string);
  /**
   * The version's revision.
   */
  'expectedRevision'?: (string);
  '_expectedRevision'?: "expectedRevision";
}
