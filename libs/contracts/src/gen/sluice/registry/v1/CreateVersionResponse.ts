// Original file: protos/sluice/registry/v1/registry.proto

import type { Version as _sluice_registry_v1_Version, Version__Output as _sluice_registry_v1_Version__Output } from '../../../sluice/registry/v1/Version.ts';

export interface CreateVersionResponse {
  /**
   * A line of progress for people; empty in the last message.
   */
  'progress'?: (string);
  'version'?: (_sluice_registry_v1_Version | null);
}

export interface CreateVersionResponse__Output {
  /**
   * A line of progress for people; empty in the last message.
   */
  'progress': (string);
  'version': (_sluice_registry_v1_Version__Output | null);
}
