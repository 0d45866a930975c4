// Original file: protos/sluice/registry/v1/watch.proto

import type { RuntimeLease as _sluice_registry_v1_RuntimeLease, RuntimeLease__Output as _sluice_registry_v1_RuntimeLease__Output } from '../../../sluice/registry/v1/RuntimeLease.ts';

export interface RuntimeSet {
  'runtimes'?: (_sluice_registry_v1_RuntimeLease)[];
}

export interface RuntimeSet__Output {
  'runtimes': (_sluice_registry_v1_RuntimeLease__Output)[];
}
