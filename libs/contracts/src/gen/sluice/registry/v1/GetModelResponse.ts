// Original file: protos/sluice/registry/v1/registry.proto

import type { Model as _sluice_registry_v1_Model, Model__Output as _sluice_registry_v1_Model__Output } from '../../../sluice/registry/v1/Model.ts';
import type { Release as _sluice_registry_v1_Release, Release__Output as _sluice_registry_v1_Release__Output } from '../../../sluice/registry/v1/Release.ts';

export interface GetModelResponse {
  'model'?: (_sluice_registry_v1_Model | null);
  'release'?: (_sluice_registry_v1_Release | null);
}

export interface GetModelResponse__Output {
  'model': (_sluice_registry_v1_Model__Output | null);
  'release': (_sluice_registry_v1_Release__Output | null);
}
