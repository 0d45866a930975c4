// Original file: protos/sluice/registry/v1/registry.proto

import type { ModelSettings as _sluice_registry_v1_ModelSettings, ModelSettings__Output as _sluice_registry_v1_ModelSettings__Output } from '../../../sluice/registry/v1/ModelSettings.ts';

export interface CreateModelRequest {
  'name'?: (string);
  'settings'?: (_sluice_registry_v1_ModelSettings | null);
}

export interface CreateModelRequest__Output {
  'name': (string);
  'settings': (_sluice_registry_v1_ModelSettings__Output | null);
}
