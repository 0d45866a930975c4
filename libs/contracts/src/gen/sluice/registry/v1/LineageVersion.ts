// Original file: protos/sluice/registry/v1/lineage.proto

import type { VersionState as _sluice_registry_v1_VersionState, VersionState__Output as _sluice_registry_v1_VersionState__Output } from '../../../sluice/registry/v1/VersionState.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface LineageVersion {
  'model'?: (string);
  'version'?: (number | string | Long);
  'digest'?: (string);
  'state'?: (_sluice_registry_v1_VersionState);
  'createdAt'?: (_google_protobuf_Timestamp | null);
}

export interface LineageVersion__Output {
  'model': (string);
  'version': (string);
  'digest': (string);
  'state': (_sluice_registry_v1_VersionState__Output);
  'createdAt': (_google_protobuf_Timestamp__Output | null);
}
