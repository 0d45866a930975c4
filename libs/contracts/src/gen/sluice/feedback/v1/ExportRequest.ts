// Original file: protos/sluice/feedback/v1/export.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { StatusFilter as _sluice_feedback_v1_StatusFilter, StatusFilter__Output as _sluice_feedback_v1_StatusFilter__Output } from '../../../sluice/feedback/v1/StatusFilter.ts';
import type { LabelFilter as _sluice_feedback_v1_LabelFilter, LabelFilter__Output as _sluice_feedback_v1_LabelFilter__Output } from '../../../sluice/feedback/v1/LabelFilter.ts';
import type { LabelPolicy as _sluice_feedback_v1_LabelPolicy, LabelPolicy__Output as _sluice_feedback_v1_LabelPolicy__Output } from '../../../sluice/feedback/v1/LabelPolicy.ts';
import type { ExportFormat as _sluice_feedback_v1_ExportFormat, ExportFormat__Output as _sluice_feedback_v1_ExportFormat__Output } from '../../../sluice/feedback/v1/ExportFormat.ts';
import type { Long } from '@grpc/proto-loader';

export interface ExportRequest {
  'model'?: (string);
  /**
   * Empty means all; at most 100.
   */
  'versions'?: (number | string | Long)[];
  /**
   * Not given means all; empty is that of requests that named their version.
   */
  'arm'?: (string);
  /**
   * `primary`, `candidate` or `shadow`; empty means all, and those that have none.
   */
  'role'?: (string);
  /**
   * Both are needed: the time of a prediction is that of its id, and they are at most 366 days apart.
   */
  'from'?: (_google_protobuf_Timestamp | null);
  'to'?: (_google_protobuf_Timestamp | null);
  'status'?: (_sluice_feedback_v1_StatusFilter);
  /**
   * Of each row.
   */
  'label'?: (_sluice_feedback_v1_LabelFilter);
  /**
   * Which of several labels of a row is its truth; not given is what the model says.
   */
  'labelPolicy'?: (_sluice_feedback_v1_LabelPolicy | null);
  'format'?: (_sluice_feedback_v1_ExportFormat);
  /**
   * Inputs and outputs too, decoded by the signatures of their versions.
   */
  'withPayload'?: (boolean);
  /**
   * `horizon` of another manifest: the rows that it saw, and none that were stored since. Empty is now.
   */
  'horizon'?: (string);
  /**
   * The data set that the file is to be a version of, for those who ask which exports hold a subject; empty for none.
   */
  'dataSet'?: (string);
  '_arm'?: "arm";
}

export interface ExportRequest__Output {
  'model': (string);
  /**
   * Empty means all; at most 100.
   */
  'versions': (string)[];
  /**
   * Not given means all; empty is that of requests that named their version.
   */
  'arm'?: (string);
  /**
   * `primary`, `candidate` or `shadow`; empty means all, and those that have none.
   */
  'role': (string);
  /**
   * Both are needed: the time of a prediction is that of its id, and they are at most 366 days apart.
   */
  'from': (_google_protobuf_Timestamp__Output | null);
  'to': (_google_protobuf_Timestamp__Output | null);
  'status': (_sluice_feedback_v1_StatusFilter__Output);
  /**
   * Of each row.
   */
  'label': (_sluice_feedback_v1_LabelFilter__Output);
  /**
   * Which of several labels of a row is its truth; not given is what the model says.
   */
  'labelPolicy': (_sluice_feedback_v1_LabelPolicy__Output | null);
  'format': (_sluice_feedback_v1_ExportFormat__Output);
  /**
   * Inputs and outputs too, decoded by the signatures of their versions.
   */
  'withPayload': (boolean);
  /**
   * `horizon` of another manifest: the rows that it saw, and none that were stored since. Empty is now.
   */
  'horizon': (string);
  /**
   * The data set that the file is to be a version of, for those who ask which exports hold a subject; empty for none.
   */
  'dataSet': (string);
  '_arm'?: "arm";
}
