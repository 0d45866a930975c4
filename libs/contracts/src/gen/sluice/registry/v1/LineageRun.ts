// Original file: protos/sluice/registry/v1/lineage.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { RunState as _sluice_registry_v1_RunState, RunState__Output as _sluice_registry_v1_RunState__Output } from '../../../sluice/registry/v1/RunState.ts';

export interface LineageRun {
  'id'?: (string);
  'pipeline'?: (string);
  'scheduledTime'?: (_google_protobuf_Timestamp | null);
  'attempt'?: (number);
  'state'?: (_sluice_registry_v1_RunState);
}

export interface LineageRun__Output {
  'id': (string);
  'pipeline': (string);
  'scheduledTime': (_google_protobuf_Timestamp__Output | null);
  'attempt': (number);
  'state': (_sluice_registry_v1_RunState__Output);
}
