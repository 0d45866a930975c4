// Original file: protos/sluice/feedback/v1/privacy.proto

import type { Spool as _sluice_feedback_v1_Spool, Spool__Output as _sluice_feedback_v1_Spool__Output } from '../../../sluice/feedback/v1/Spool.ts';

export interface ForgetSpoolResponse {
  'spool'?: (_sluice_feedback_v1_Spool | null);
}

export interface ForgetSpoolResponse__Output {
  'spool': (_sluice_feedback_v1_Spool__Output | null);
}
