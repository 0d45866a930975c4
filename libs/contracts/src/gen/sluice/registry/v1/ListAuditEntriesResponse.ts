// Original file: protos/sluice/registry/v1/audit.proto

import type { AuditEntry as _sluice_registry_v1_AuditEntry, AuditEntry__Output as _sluice_registry_v1_AuditEntry__Output } from '../../../sluice/registry/v1/AuditEntry.ts';
import type { Long } from '@grpc/proto-loader';

export interface ListAuditEntriesResponse {
  'entries'?: (_sluice_registry_v1_AuditEntry)[];
  /**
   * Set when there are more.
   */
  'nextIndex'?: (number | string | Long);
  '_nextIndex'?: "nextIndex";
}

export interface ListAuditEntriesResponse__Output {
  'entries': (_sluice_registry_v1_AuditEntry__Output)[];
  /**
   * Set when there are more.
   */
  'nextIndex'?: (string);
  '_nextIndex'?: "nextIndex";
}
