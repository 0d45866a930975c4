// Original file: protos/sluice/registry/v1/registry.proto

import type { Release as _sluice_registry_v1_Release, Release__Output as _sluice_registry_v1_Release__Output } from '../../../sluice/registry/v1/Release.ts';

export interface EndReleaseResponse {
  /**
   * What rules now; unset when there is neither `champion` nor a pin.
   */
  'release'?: (_sluice_registry_v1_Release | null);
}

export interface EndReleaseResponse__Output {
  /**
   * What rules now; unset when there is neither `champion` nor a pin.
   */
  'release': (_sluice_registry_v1_Release__Output | null);
}
