// Original file: protos/sluice/registry/v1/runs.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { DataSetRef as _sluice_registry_v1_DataSetRef, DataSetRef__Output as _sluice_registry_v1_DataSetRef__Output } from '../../../sluice/registry/v1/DataSetRef.ts';

export interface StartRunRequest {
  'pipeline'?: (string);
  /**
   * To the millisecond.
   */
  'scheduledTime'?: (_google_protobuf_Timestamp | null);
  /**
   * From 1; 0 means 1.
   */
  'attempt'?: (number);
  'inputs'?: (_sluice_registry_v1_DataSetRef)[];
  /**
   * Makes a retry safe: at most 128 characters, chosen by the caller, empty for none.
   */
  'requestId'?: (string);
}

export interface StartRunRequest__Output {
  'pipeline': (string);
  /**
   * To the millisecond.
   */
  'scheduledTime': (_google_protobuf_Timestamp__Output | null);
  /**
   * From 1; 0 means 1.
   */
  'attempt': (number);
  'inputs': (_sluice_registry_v1_DataSetRef__Output)[];
  /**
   * Makes a retry safe: at most 128 characters, chosen by the caller, empty for none.
   */
  'requestId': (string);
}
