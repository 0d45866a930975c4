// Original file: protos/sluice/feedback/v1/subscribe.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * One label against one row of one answer.
 */
export interface FollowedOutcome {
  'labelId'?: (string);
  'predictionId'?: (string);
  'arm'?: (string);
  'attempt'?: (number);
  'row'?: (number);
  'retentionClass'?: (string);
  'model'?: (string);
  'version'?: (number | string | Long);
  'releaseId'?: (string);
  'role'?: (string);
  /**
   * Of the label.
   */
  'source'?: (string);
  /**
   * `scored`, `not-captured`, `erased` or `not-decodable`.
   */
  'state'?: (string);
  'keepProbability'?: (number | string);
  'receivedAt'?: (_google_protobuf_Timestamp | null);
  'labelledAt'?: (_google_protobuf_Timestamp | null);
  'labelRecordedAt'?: (_google_protobuf_Timestamp | null);
  /**
   * Of a classification; so with `predicted_name`.
   */
  'truthName'?: (string);
  'predictedName'?: (string);
  /**
   * Of a regression; so with `predicted_number`.
   */
  'truthNumber'?: (number | string);
  'predictedNumber'?: (number | string);
  /**
   * What the answer gave the true class; unset where it gives no probabilities.
   */
  'truthProbability'?: (number | string);
  '_truthName'?: "truthName";
  '_predictedName'?: "predictedName";
  '_truthNumber'?: "truthNumber";
  '_predictedNumber'?: "predictedNumber";
  '_truthProbability'?: "truthProbability";
}

/**
 * One label against one row of one answer.
 */
export interface FollowedOutcome__Output {
  'labelId': (string);
  'predictionId': (string);
  'arm': (string);
  'attempt': (number);
  'row': (number);
  'retentionClass': (string);
  'model': (string);
  'version': (string);
  'releaseId': (string);
  'role': (string);
  /**
   * Of the label.
   */
  'source': (string);
  /**
   * `scored`, `not-captured`, `erased` or `not-decodable`.
   */
  'state': (string);
  'keepProbability': (number);
  'receivedAt': (_google_protobuf_Timestamp__Output | null);
  'labelledAt': (_google_protobuf_Timestamp__Output | null);
  'labelRecordedAt': (_google_protobuf_Timestamp__Output | null);
  /**
   * Of a classification; so with `predicted_name`.
   */
  'truthName'?: (string);
  'predictedName'?: (string);
  /**
   * Of a regression; so with `predicted_number`.
   */
  'truthNumber'?: (number);
  'predictedNumber'?: (number);
  /**
   * What the answer gave the true class; unset where it gives no probabilities.
   */
  'truthProbability'?: (number);
  '_truthName'?: "truthName";
  '_predictedName'?: "predictedName";
  '_truthNumber'?: "truthNumber";
  '_predictedNumber'?: "predictedNumber";
  '_truthProbability'?: "truthProbability";
}
