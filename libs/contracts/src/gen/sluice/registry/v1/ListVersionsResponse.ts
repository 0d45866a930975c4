// Original file: protos/sluice/registry/v1/registry.proto

import type { Version as _sluice_registry_v1_Version, Version__Output as _sluice_registry_v1_Version__Output } from '../../../sluice/registry/v1/Version.ts';

export interface ListVersionsResponse {
  'versions'?: (_sluice_registry_v1_Version)[];
  'nextPageToken'?: (string);
}

export interface ListVersionsResponse__Output {
  'versions': (_sluice_registry_v1_Version__Output)[];
  'nextPageToken': (string);
}
