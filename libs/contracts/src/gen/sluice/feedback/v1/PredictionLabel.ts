// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface PredictionLabel {
  'labelId'?: (string);
  'row'?: (number | string | Long);
  /**
   * The true class, or the true value of a regression.
   */
  'name'?: (string);
  'number'?: (number | string);
  'source'?: (string);
  'actor'?: (string);
  /**
   * When the truth was found; not set where nobody said.
   */
  'labelledAt'?: (_google_protobuf_Timestamp | null);
  'recordedAt'?: (_google_protobuf_Timestamp | null);
  /**
   * It is the one that counts of its row.
   */
  'resolves'?: (boolean);
  '_name'?: "name";
  '_number'?: "number";
}

export interface PredictionLabel__Output {
  'labelId': (string);
  'row': (string);
  /**
   * The true class, or the true value of a regression.
   */
  'name'?: (string);
  'number'?: (number);
  'source': (string);
  'actor': (string);
  /**
   * When the truth was found; not set where nobody said.
   */
  'labelledAt': (_google_protobuf_Timestamp__Output | null);
  'recordedAt': (_google_protobuf_Timestamp__Output | null);
  /**
   * It is the one that counts of its row.
   */
  'resolves': (boolean);
  '_name'?: "name";
  '_number'?: "number";
}
