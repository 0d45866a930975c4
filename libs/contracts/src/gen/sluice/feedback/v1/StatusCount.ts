// Original file: protos/sluice/feedback/v1/predictions.proto

import type { WeightedCount as _sluice_feedback_v1_WeightedCount, WeightedCount__Output as _sluice_feedback_v1_WeightedCount__Output } from '../../../sluice/feedback/v1/WeightedCount.ts';

export interface StatusCount {
  'status'?: (number);
  'statusName'?: (string);
  'attempts'?: (_sluice_feedback_v1_WeightedCount | null);
}

export interface StatusCount__Output {
  'status': (number);
  'statusName': (string);
  'attempts': (_sluice_feedback_v1_WeightedCount__Output | null);
}
