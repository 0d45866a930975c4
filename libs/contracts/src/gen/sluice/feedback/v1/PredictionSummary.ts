// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * One attempt of one arm.
 */
export interface PredictionSummary {
  'predictionId'?: (string);
  'arm'?: (string);
  'attempt'?: (number);
  'receivedAt'?: (_google_protobuf_Timestamp | null);
  'model'?: (string);
  'version'?: (number | string | Long);
  'releaseId'?: (string);
  'servedArm'?: (string);
  'role'?: (string);
  'answered'?: (boolean);
  'reason'?: (string);
  'status'?: (number);
  'statusName'?: (string);
  'endedMicros'?: (number | string | Long);
  'rows'?: (number | string | Long);
  'keepProbability'?: (number | string);
  'requestId'?: (string);
  'subject'?: (string);
  'caller'?: (string);
  /**
   * As they were stored: GetPrediction says what was erased since.
   */
  'requestState'?: (string);
  'responseState'?: (string);
  'labelled'?: (boolean);
  'skewed'?: (boolean);
  'retentionClass'?: (string);
}

/**
 * One attempt of one arm.
 */
export interface PredictionSummary__Output {
  'predictionId': (string);
  'arm': (string);
  'attempt': (number);
  'receivedAt': (_google_protobuf_Timestamp__Output | null);
  'model': (string);
  'version': (string);
  'releaseId': (string);
  'servedArm': (string);
  'role': (string);
  'answered': (boolean);
  'reason': (string);
  'status': (number);
  'statusName': (string);
  'endedMicros': (string);
  'rows': (string);
  'keepProbability': (number);
  'requestId': (string);
  'subject': (string);
  'caller': (string);
  /**
   * As they were stored: GetPrediction says what was erased since.
   */
  'requestState': (string);
  'responseState': (string);
  'labelled': (boolean);
  'skewed': (boolean);
  'retentionClass': (string);
}
