// Original file: protos/sluice/registry/v1/types.proto

import type { ModelSettings as _sluice_registry_v1_ModelSettings, ModelSettings__Output as _sluice_registry_v1_ModelSettings__Output } from '../../../sluice/registry/v1/ModelSettings.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Alias as _sluice_registry_v1_Alias, Alias__Output as _sluice_registry_v1_Alias__Output } from '../../../sluice/registry/v1/Alias.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * A named task, such as `digits` or `team/digits`.
 */
export interface Model {
  'name'?: (string);
  'settings'?: (_sluice_registry_v1_ModelSettings | null);
  /**
   * Leaf index of the model's own last change; pass it back as `expected_revision`.
   */
  'revision'?: (number | string | Long);
  'createdAt'?: (_google_protobuf_Timestamp | null);
  'createdBy'?: (string);
  /**
   * The number of versions ever made, rejected and deleted ones too.
   */
  'versionCount'?: (number | string | Long);
  'aliases'?: (_sluice_registry_v1_Alias)[];
}

/**
 * A named task, such as `digits` or `team/digits`.
 */
export interface Model__Output {
  'name': (string);
  'settings': (_sluice_registry_v1_ModelSettings__Output | null);
  /**
   * Leaf index of the model's own last change; pass it back as `expected_revision`.
   */
  'revision': (string);
  'createdAt': (_google_protobuf_Timestamp__Output | null);
  'createdBy': (string);
  /**
   * The number of versions ever made, rejected and deleted ones too.
   */
  'versionCount': (string);
  'aliases': (_sluice_registry_v1_Alias__Output)[];
}
