// Original file: protos/sluice/registry/v1/types.proto

import type { TensorSpec as _sluice_registry_v1_TensorSpec, TensorSpec__Output as _sluice_registry_v1_TensorSpec__Output } from '../../../sluice/registry/v1/TensorSpec.ts';

export interface Signature {
  'inputs'?: (_sluice_registry_v1_TensorSpec)[];
  'outputs'?: (_sluice_registry_v1_TensorSpec)[];
  /**
   * True when the first dimension of every tensor is one dynamic batch dimension.
   */
  'batched'?: (boolean);
}

export interface Signature__Output {
  'inputs': (_sluice_registry_v1_TensorSpec__Output)[];
  'outputs': (_sluice_registry_v1_TensorSpec__Output)[];
  /**
   * True when the first dimension of every tensor is one dynamic batch dimension.
   */
  'batched': (boolean);
}
