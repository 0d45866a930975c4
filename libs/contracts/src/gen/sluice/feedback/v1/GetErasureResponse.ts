// Original file: protos/sluice/feedback/v1/privacy.proto

import type { Erasure as _sluice_feedback_v1_Erasure, Erasure__Output as _sluice_feedback_v1_Erasure__Output } from '../../../sluice/feedback/v1/Erasure.ts';

export interface GetErasureResponse {
  'erasure'?: (_sluice_feedback_v1_Erasure | null);
}

export interface GetErasureResponse__Output {
  'erasure': (_sluice_feedback_v1_Erasure__Output | null);
}
