// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Long } from '@grpc/proto-loader';

export interface AuditLink {
  /**
   * `version` (its own last change), `release` (the change that made it: of an alias or a pin where it follows from these) or `alias` (the move
   * by which it pointed to the version).
   */
  'kind'?: (string);
  /**
   * What it is of, such as `model/digits/version/3`.
   */
  'object'?: (string);
  'leafIndex'?: (number | string | Long);
}

export interface AuditLink__Output {
  /**
   * `version` (its own last change), `release` (the change that made it: of an alias or a pin where it follows from these) or `alias` (the move
   * by which it pointed to the version).
   */
  'kind': (string);
  /**
   * What it is of, such as `model/digits/version/3`.
   */
  'object': (string);
  'leafIndex': (string);
}
