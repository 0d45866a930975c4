// Original file: protos/sluice/registry/v1/types.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { AliasMove as _sluice_registry_v1_AliasMove, AliasMove__Output as _sluice_registry_v1_AliasMove__Output } from '../../../sluice/registry/v1/AliasMove.ts';
import type { Long } from '@grpc/proto-loader';

export interface Alias {
  'model'?: (string);
  'alias'?: (string);
  'version'?: (number | string | Long);
  'revision'?: (number | string | Long);
  'since'?: (_google_protobuf_Timestamp | null);
  'actor'?: (string);
  /**
   * The move that is under way, if any.
   */
  'pending'?: (_sluice_registry_v1_AliasMove | null);
}

export interface Alias__Output {
  'model': (string);
  'alias': (string);
  'version': (string);
  'revision': (string);
  'since': (_google_protobuf_Timestamp__Output | null);
  'actor': (string);
  /**
   * The move that is under way, if any.
   */
  'pending': (_sluice_registry_v1_AliasMove__Output | null);
}
