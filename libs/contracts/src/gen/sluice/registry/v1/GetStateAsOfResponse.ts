// Original file: protos/sluice/registry/v1/registry.proto

import type { AliasHistoryEntry as _sluice_registry_v1_AliasHistoryEntry, AliasHistoryEntry__Output as _sluice_registry_v1_AliasHistoryEntry__Output } from '../../../sluice/registry/v1/AliasHistoryEntry.ts';
import type { Version as _sluice_registry_v1_Version, Version__Output as _sluice_registry_v1_Version__Output } from '../../../sluice/registry/v1/Version.ts';
import type { Release as _sluice_registry_v1_Release, Release__Output as _sluice_registry_v1_Release__Output } from '../../../sluice/registry/v1/Release.ts';
import type { ModelSettings as _sluice_registry_v1_ModelSettings, ModelSettings__Output as _sluice_registry_v1_ModelSettings__Output } from '../../../sluice/registry/v1/ModelSettings.ts';

export interface GetStateAsOfResponse {
  /**
   * On every page.
   */
  'aliases'?: (_sluice_registry_v1_AliasHistoryEntry)[];
  'versions'?: (_sluice_registry_v1_Version)[];
  /**
   * On every page.
   */
  'release'?: (_sluice_registry_v1_Release | null);
  'nextPageToken'?: (string);
  /**
   * On every page. Unset for a time before the model was made, and before the last change of its settings that a registry
   * of before this made.
   */
  'settings'?: (_sluice_registry_v1_ModelSettings | null);
}

export interface GetStateAsOfResponse__Output {
  /**
   * On every page.
   */
  'aliases': (_sluice_registry_v1_AliasHistoryEntry__Output)[];
  'versions': (_sluice_registry_v1_Version__Output)[];
  /**
   * On every page.
   */
  'release': (_sluice_registry_v1_Release__Output | null);
  'nextPageToken': (string);
  /**
   * On every page. Unset for a time before the model was made, and before the last change of its settings that a registry
   * of before this made.
   */
  'settings': (_sluice_registry_v1_ModelSettings__Output | null);
}
