// Original file: protos/sluice/feedback/v1/feedback.proto

import type { DeadLetterKind as _sluice_feedback_v1_DeadLetterKind, DeadLetterKind__Output as _sluice_feedback_v1_DeadLetterKind__Output } from '../../../sluice/feedback/v1/DeadLetterKind.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface DeadLetter {
  /**
   * In the order in which they came.
   */
  'id'?: (number | string | Long);
  'kind'?: (_sluice_feedback_v1_DeadLetterKind);
  /**
   * Why it could not be stored, in one word: `unreadable`, `unknown-layout`, `invalid` or `refused`.
   */
  'reason'?: (string);
  /**
   * The same in a sentence, without any value of the record.
   */
  'detail'?: (string);
  'spoolId'?: (string);
  'routerId'?: (string);
  /**
   * Of its block in the spool.
   */
  'position'?: (number | string | Long);
  /**
   * Of a record; empty for a block.
   */
  'predictionId'?: (string);
  'model'?: (string);
  'sizeBytes'?: (number | string | Long);
  'firstAt'?: (_google_protobuf_Timestamp | null);
  /**
   * When it last failed.
   */
  'lastAt'?: (_google_protobuf_Timestamp | null);
  /**
   * Times that it failed.
   */
  'attempts'?: (number | string | Long);
}

export interface DeadLetter__Output {
  /**
   * In the order in which they came.
   */
  'id': (string);
  'kind': (_sluice_feedback_v1_DeadLetterKind__Output);
  /**
   * Why it could not be stored, in one word: `unreadable`, `unknown-layout`, `invalid` or `refused`.
   */
  'reason': (string);
  /**
   * The same in a sentence, without any value of the record.
   */
  'detail': (string);
  'spoolId': (string);
  'routerId': (string);
  /**
   * Of its block in the spool.
   */
  'position': (string);
  /**
   * Of a record; empty for a block.
   */
  'predictionId': (string);
  'model': (string);
  'sizeBytes': (string);
  'firstAt': (_google_protobuf_Timestamp__Output | null);
  /**
   * When it last failed.
   */
  'lastAt': (_google_protobuf_Timestamp__Output | null);
  /**
   * Times that it failed.
   */
  'attempts': (string);
}
