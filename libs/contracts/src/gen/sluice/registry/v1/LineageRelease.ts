// Original file: protos/sluice/registry/v1/lineage.proto

import type { ReleaseMode as _sluice_registry_v1_ReleaseMode, ReleaseMode__Output as _sluice_registry_v1_ReleaseMode__Output } from '../../../sluice/registry/v1/ReleaseMode.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';

export interface LineageRelease {
  'id'?: (string);
  'model'?: (string);
  'mode'?: (_sluice_registry_v1_ReleaseMode);
  /**
   * True when an alias or pin made it, not a person.
   */
  'implicit'?: (boolean);
  'from'?: (_google_protobuf_Timestamp | null);
  /**
   * Unset while it rules.
   */
  'to'?: (_google_protobuf_Timestamp | null);
}

export interface LineageRelease__Output {
  'id': (string);
  'model': (string);
  'mode': (_sluice_registry_v1_ReleaseMode__Output);
  /**
   * True when an alias or pin made it, not a person.
   */
  'implicit': (boolean);
  'from': (_google_protobuf_Timestamp__Output | null);
  /**
   * Unset while it rules.
   */
  'to': (_google_protobuf_Timestamp__Output | null);
}
