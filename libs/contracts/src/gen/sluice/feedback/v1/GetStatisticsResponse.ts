// Original file: protos/sluice/feedback/v1/predictions.proto

import type { StatisticsGroup as _sluice_feedback_v1_StatisticsGroup, StatisticsGroup__Output as _sluice_feedback_v1_StatisticsGroup__Output } from '../../../sluice/feedback/v1/StatisticsGroup.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { LabelPolicy as _sluice_feedback_v1_LabelPolicy, LabelPolicy__Output as _sluice_feedback_v1_LabelPolicy__Output } from '../../../sluice/feedback/v1/LabelPolicy.ts';

export interface GetStatisticsResponse {
  /**
   * By bucket, version, arm and role.
   */
  'groups'?: (_sluice_feedback_v1_StatisticsGroup)[];
  /**
   * The range and policy that were used.
   */
  'from'?: (_google_protobuf_Timestamp | null);
  'to'?: (_google_protobuf_Timestamp | null);
  'labelPolicy'?: (_sluice_feedback_v1_LabelPolicy | null);
  /**
   * Set where the registry could not be asked: the policy and the positive classes are not those of the model then.
   */
  'registryProblem'?: (string);
}

export interface GetStatisticsResponse__Output {
  /**
   * By bucket, version, arm and role.
   */
  'groups': (_sluice_feedback_v1_StatisticsGroup__Output)[];
  /**
   * The range and policy that were used.
   */
  'from': (_google_protobuf_Timestamp__Output | null);
  'to': (_google_protobuf_Timestamp__Output | null);
  'labelPolicy': (_sluice_feedback_v1_LabelPolicy__Output | null);
  /**
   * Set where the registry could not be asked: the policy and the positive classes are not those of the model then.
   */
  'registryProblem': (string);
}
