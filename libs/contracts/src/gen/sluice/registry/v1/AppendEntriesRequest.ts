// Original file: protos/sluice/registry/v1/audit.proto

import type { SourceEntry as _sluice_registry_v1_SourceEntry, SourceEntry__Output as _sluice_registry_v1_SourceEntry__Output } from '../../../sluice/registry/v1/SourceEntry.ts';

export interface AppendEntriesRequest {
  /**
   * The service: `feedback`.
   */
  'source'?: (string);
  /**
   * At most 500, their sequences without gaps. Without any the answer says which sequence is expected.
   */
  'entries'?: (_sluice_registry_v1_SourceEntry)[];
}

export interface AppendEntriesRequest__Output {
  /**
   * The service: `feedback`.
   */
  'source': (string);
  /**
   * At most 500, their sequences without gaps. Without any the answer says which sequence is expected.
   */
  'entries': (_sluice_registry_v1_SourceEntry__Output)[];
}
