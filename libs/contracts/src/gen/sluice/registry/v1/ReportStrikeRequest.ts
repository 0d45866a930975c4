// Original file: protos/sluice/registry/v1/watch.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface ReportStrikeRequest {
  /**
   * Chosen by the runtime, 1 to 128 of letters, digits, '.', '_' or '-'.
   */
  'strikeId'?: (string);
  'runtimeId'?: (string);
  'pool'?: (string);
  'model'?: (string);
  'version'?: (number | string | Long);
  /**
   * Of the version that ran; a strike of other bytes is refused.
   */
  'digest'?: (string);
  /**
   * `crashed`, `hung`, `crashed-loading` or `hung-loading`.
   */
  'kind'?: (string);
  /**
   * When the runtime found out, by its own clock.
   */
  'at'?: (_google_protobuf_Timestamp | null);
}

export interface ReportStrikeRequest__Output {
  /**
   * Chosen by the runtime, 1 to 128 of letters, digits, '.', '_' or '-'.
   */
  'strikeId': (string);
  'runtimeId': (string);
  'pool': (string);
  'model': (string);
  'version': (string);
  /**
   * Of the version that ran; a strike of other bytes is refused.
   */
  'digest': (string);
  /**
   * `crashed`, `hung`, `crashed-loading` or `hung-loading`.
   */
  'kind': (string);
  /**
   * When the runtime found out, by its own clock.
   */
  'at': (_google_protobuf_Timestamp__Output | null);
}
