// Original file: protos/sluice/registry/v1/registry.proto

import type { AliasHistoryEntry as _sluice_registry_v1_AliasHistoryEntry, AliasHistoryEntry__Output as _sluice_registry_v1_AliasHistoryEntry__Output } from '../../../sluice/registry/v1/AliasHistoryEntry.ts';
import type { Version as _sluice_registry_v1_Version, Version__Output as _sluice_registry_v1_Version__Output } from '../../../sluice/registry/v1/Version.ts';
import type { Release as _sluice_registry_v1_Release, Release__Output as _sluice_registry_v1_Release__Output } from '../../../sluice/registry/v1/Release.ts';

export interface GetStateAsOfResponse {
  'aliases'?: (_sluice_registry_v1_AliasHistoryEntry)[];
  'versions'?: (_sluice_registry_v1_Version)[];
  'release'?: (_sluice_registry_v1_Release | null);
}

export interface GetStateAsOfResponse__Output {
  'aliases': (_sluice_registry_v1_AliasHistoryEntry__Output)[];
  'versions': (_sluice_registry_v1_Version__Output)[];
  'release': (_sluice_registry_v1_Release__Output | null);
}
