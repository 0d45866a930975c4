// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { StatusFilter as _sluice_feedback_v1_StatusFilter, StatusFilter__Output as _sluice_feedback_v1_StatusFilter__Output } from '../../../sluice/feedback/v1/StatusFilter.ts';
import type { LabelFilter as _sluice_feedback_v1_LabelFilter, LabelFilter__Output as _sluice_feedback_v1_LabelFilter__Output } from '../../../sluice/feedback/v1/LabelFilter.ts';
import type { Long } from '@grpc/proto-loader';

export interface ListPredictionsRequest {
  'model'?: (string);
  /**
   * Empty means all.
   */
  'versions'?: (number | string | Long)[];
  /**
   * Not given means all; empty is that of requests that named their version.
   */
  'arm'?: (string);
  /**
   * The time of a prediction is that of its id, in whole milliseconds. Not given: the last 24 hours.
   */
  'from'?: (_google_protobuf_Timestamp | null);
  'to'?: (_google_protobuf_Timestamp | null);
  'status'?: (_sluice_feedback_v1_StatusFilter);
  'label'?: (_sluice_feedback_v1_LabelFilter);
  /**
   * The caller's own id.
   */
  'requestId'?: (string);
  'subject'?: (string);
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize'?: (number);
  'pageToken'?: (string);
  '_arm'?: "arm";
}

export interface ListPredictionsRequest__Output {
  'model': (string);
  /**
   * Empty means all.
   */
  'versions': (string)[];
  /**
   * Not given means all; empty is that of requests that named their version.
   */
  'arm'?: (string);
  /**
   * The time of a prediction is that of its id, in whole milliseconds. Not given: the last 24 hours.
   */
  'from': (_google_protobuf_Timestamp__Output | null);
  'to': (_google_protobuf_Timestamp__Output | null);
  'status': (_sluice_feedback_v1_StatusFilter__Output);
  'label': (_sluice_feedback_v1_LabelFilter__Output);
  /**
   * The caller's own id.
   */
  'requestId': (string);
  'subject': (string);
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize': (number);
  'pageToken': (string);
  '_arm'?: "arm";
}
