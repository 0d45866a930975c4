// Original file: protos/sluice/registry/v1/runs.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { RunState as _sluice_registry_v1_RunState, RunState__Output as _sluice_registry_v1_RunState__Output } from '../../../sluice/registry/v1/RunState.ts';
import type { DataSetRef as _sluice_registry_v1_DataSetRef, DataSetRef__Output as _sluice_registry_v1_DataSetRef__Output } from '../../../sluice/registry/v1/DataSetRef.ts';
import type { VersionRef as _sluice_registry_v1_VersionRef, VersionRef__Output as _sluice_registry_v1_VersionRef__Output } from '../../../sluice/registry/v1/VersionRef.ts';
import type { Long } from '@grpc/proto-loader';

export interface Run {
  /**
   * The pipeline and the leaf index of its start, such as `train-digits@412`.
   */
  'id'?: (string);
  /**
   * As a model name.
   */
  'pipeline'?: (string);
  /**
   * Together with pipeline and attempt there is one run.
   */
  'scheduledTime'?: (_google_protobuf_Timestamp | null);
  'attempt'?: (number);
  'state'?: (_sluice_registry_v1_RunState);
  /**
   * Why it failed; empty otherwise.
   */
  'error'?: (string);
  'startedAt'?: (_google_protobuf_Timestamp | null);
  'startedBy'?: (string);
  /**
   * Unset while it runs.
   */
  'endedAt'?: (_google_protobuf_Timestamp | null);
  'endedBy'?: (string);
  /**
   * What it read, what it made, and the model versions that it made: at most 256 of each.
   */
  'inputs'?: (_sluice_registry_v1_DataSetRef)[];
  'outputs'?: (_sluice_registry_v1_DataSetRef)[];
  'versions'?: (_sluice_registry_v1_VersionRef)[];
  /**
   * Leaf index of its own last change: its start or its end.
   */
  'revision'?: (number | string | Long);
}

export interface Run__Output {
  /**
   * The pipeline and the leaf index of its start, such as `train-digits@412`.
   */
  'id': (string);
  /**
   * As a model name.
   */
  'pipeline': (string);
  /**
   * Together with pipeline and attempt there is one run.
   */
  'scheduledTime': (_google_protobuf_Timestamp__Output | null);
  'attempt': (number);
  'state': (_sluice_registry_v1_RunState__Output);
  /**
   * Why it failed; empty otherwise.
   */
  'error': (string);
  'startedAt': (_google_protobuf_Timestamp__Output | null);
  'startedBy': (string);
  /**
   * Unset while it runs.
   */
  'endedAt': (_google_protobuf_Timestamp__Output | null);
  'endedBy': (string);
  /**
   * What it read, what it made, and the model versions that it made: at most 256 of each.
   */
  'inputs': (_sluice_registry_v1_DataSetRef__Output)[];
  'outputs': (_sluice_registry_v1_DataSetRef__Output)[];
  'versions': (_sluice_registry_v1_VersionRef__Output)[];
  /**
   * Leaf index of its own last change: its start or its end.
   */
  'revision': (string);
}
