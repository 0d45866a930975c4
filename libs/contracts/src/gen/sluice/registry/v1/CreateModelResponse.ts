// Original file: protos/sluice/registry/v1/registry.proto

import type { Model as _sluice_registry_v1_Model, Model__Output as _sluice_registry_v1_Model__Output } from '../../../sluice/registry/v1/Model.ts';

export interface CreateModelResponse {
  'model'?: (_sluice_registry_v1_Model | null);
}

export interface CreateModelResponse__Output {
  'model': (_sluice_registry_v1_Model__Output | null);
}
