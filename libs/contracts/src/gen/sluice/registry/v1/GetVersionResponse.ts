// Original file: protos/sluice/registry/v1/registry.proto

import type { Version as _sluice_registry_v1_Version, Version__Output as _sluice_registry_v1_Version__Output } from '../../../sluice/registry/v1/Version.ts';

export interface GetVersionResponse {
  'version'?: (_sluice_registry_v1_Version | null);
}

export interface GetVersionResponse__Output {
  'version': (_sluice_registry_v1_Version__Output | null);
}
