// Original file: protos/sluice/registry/v1/audit.proto

import type { AuditVerdict as _sluice_registry_v1_AuditVerdict, AuditVerdict__Output as _sluice_registry_v1_AuditVerdict__Output } from '../../../sluice/registry/v1/AuditVerdict.ts';
import type { Long } from '@grpc/proto-loader';

export interface VerifyAuditResponse {
  'checked'?: (number | string | Long);
  'total'?: (number | string | Long);
  /**
   * Set in the last message.
   */
  'verdict'?: (_sluice_registry_v1_AuditVerdict | null);
}

export interface VerifyAuditResponse__Output {
  'checked': (string);
  'total': (string);
  /**
   * Set in the last message.
   */
  'verdict': (_sluice_registry_v1_AuditVerdict__Output | null);
}
