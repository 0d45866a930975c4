// Original file: protos/sluice/feedback/v1/labels.proto

import type { Label as _sluice_feedback_v1_Label, Label__Output as _sluice_feedback_v1_Label__Output } from '../../../sluice/feedback/v1/Label.ts';

export interface RecordLabelsRequest {
  /**
   * At most 1,000, with at most 10,000 values together.
   */
  'labels'?: (_sluice_feedback_v1_Label)[];
}

export interface RecordLabelsRequest__Output {
  /**
   * At most 1,000, with at most 10,000 values together.
   */
  'labels': (_sluice_feedback_v1_Label__Output)[];
}
