// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * What somebody said of a prediction.
 */
export interface PredictionFeedback {
  'feedbackId'?: (string);
  'row'?: (number | string | Long);
  /**
   * `rating`, `correction`, `reward`, `text` or `json`.
   */
  'kind'?: (string);
  'number'?: (number | string);
  /**
   * Free text and JSON count as payload: only `with_payload`.
   */
  'text'?: (string);
  'source'?: (string);
  'actor'?: (string);
  'recordedAt'?: (_google_protobuf_Timestamp | null);
  /**
   * Why there is no text although there was; empty otherwise.
   */
  'problem'?: (string);
  '_row'?: "row";
  '_number'?: "number";
  '_text'?: "text";
}

/**
 * What somebody said of a prediction.
 */
export interface PredictionFeedback__Output {
  'feedbackId': (string);
  'row'?: (string);
  /**
   * `rating`, `correction`, `reward`, `text` or `json`.
   */
  'kind': (string);
  'number'?: (number);
  /**
   * Free text and JSON count as payload: only `with_payload`.
   */
  'text'?: (string);
  'source': (string);
  'actor': (string);
  'recordedAt': (_google_protobuf_Timestamp__Output | null);
  /**
   * Why there is no text although there was; empty otherwise.
   */
  'problem': (string);
  '_row'?: "row";
  '_number'?: "number";
  '_text'?: "text";
}
