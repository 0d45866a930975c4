// Original file: protos/sluice/registry/v1/registry.proto

import type { RuntimeLease as _sluice_registry_v1_RuntimeLease, RuntimeLease__Output as _sluice_registry_v1_RuntimeLease__Output } from '../../../sluice/registry/v1/RuntimeLease.ts';
import type { RouterLease as _sluice_registry_v1_RouterLease, RouterLease__Output as _sluice_registry_v1_RouterLease__Output } from '../../../sluice/registry/v1/RouterLease.ts';
import type { Quarantine as _sluice_registry_v1_Quarantine, Quarantine__Output as _sluice_registry_v1_Quarantine__Output } from '../../../sluice/registry/v1/Quarantine.ts';

export interface ListLeasesResponse {
  'runtimes'?: (_sluice_registry_v1_RuntimeLease)[];
  'routers'?: (_sluice_registry_v1_RouterLease)[];
  /**
   * What no runtime loads although something holds it.
   */
  'quarantined'?: (_sluice_registry_v1_Quarantine)[];
}

export interface ListLeasesResponse__Output {
  'runtimes': (_sluice_registry_v1_RuntimeLease__Output)[];
  'routers': (_sluice_registry_v1_RouterLease__Output)[];
  /**
   * What no runtime loads although something holds it.
   */
  'quarantined': (_sluice_registry_v1_Quarantine__Output)[];
}
