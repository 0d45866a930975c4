// Original file: protos/sluice/registry/v1/types.proto

import type { AliasMoveState as _sluice_registry_v1_AliasMoveState, AliasMoveState__Output as _sluice_registry_v1_AliasMoveState__Output } from '../../../sluice/registry/v1/AliasMoveState.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { RuntimeVersionState as _sluice_registry_v1_RuntimeVersionState, RuntimeVersionState__Output as _sluice_registry_v1_RuntimeVersionState__Output } from '../../../sluice/registry/v1/RuntimeVersionState.ts';
import type { Long } from '@grpc/proto-loader';

export interface AliasMove {
  'id'?: (string);
  'model'?: (string);
  'alias'?: (string);
  /**
   * 0 when the alias did not exist.
   */
  'fromVersion'?: (number | string | Long);
  'toVersion'?: (number | string | Long);
  'state'?: (_sluice_registry_v1_AliasMoveState);
  'reasons'?: (string)[];
  'requestedAt'?: (_google_protobuf_Timestamp | null);
  'endedAt'?: (_google_protobuf_Timestamp | null);
  'actor'?: (string);
  'timeoutMs'?: (number | string | Long);
  'requestedRevision'?: (number | string | Long);
  /**
   * Leaf index of the entry that ended it; 0 while it is under way.
   */
  'endedRevision'?: (number | string | Long);
  'runtimes'?: (_sluice_registry_v1_RuntimeVersionState)[];
}

export interface AliasMove__Output {
  'id': (string);
  'model': (string);
  'alias': (string);
  /**
   * 0 when the alias did not exist.
   */
  'fromVersion': (string);
  'toVersion': (string);
  'state': (_sluice_registry_v1_AliasMoveState__Output);
  'reasons': (string)[];
  'requestedAt': (_google_protobuf_Timestamp__Output | null);
  'endedAt': (_google_protobuf_Timestamp__Output | null);
  'actor': (string);
  'timeoutMs': (string);
  'requestedRevision': (string);
  /**
   * Leaf index of the entry that ended it; 0 while it is under way.
   */
  'endedRevision': (string);
  'runtimes': (_sluice_registry_v1_RuntimeVersionState__Output)[];
}
