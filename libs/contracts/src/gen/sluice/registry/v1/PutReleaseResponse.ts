// Original file: protos/sluice/registry/v1/registry.proto

import type { Release as _sluice_registry_v1_Release, Release__Output as _sluice_registry_v1_Release__Output } from '../../../sluice/registry/v1/Release.ts';

export interface PutReleaseResponse {
  'release'?: (_sluice_registry_v1_Release | null);
}

export interface PutReleaseResponse__Output {
  'release': (_sluice_registry_v1_Release__Output | null);
}
