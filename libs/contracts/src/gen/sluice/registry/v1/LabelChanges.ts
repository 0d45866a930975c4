// Original file: protos/sluice/registry/v1/types.proto

import type { LabelResolution as _sluice_registry_v1_LabelResolution, LabelResolution__Output as _sluice_registry_v1_LabelResolution__Output } from '../../../sluice/registry/v1/LabelResolution.ts';
import type { TrustedSources as _sluice_registry_v1_TrustedSources, TrustedSources__Output as _sluice_registry_v1_TrustedSources__Output } from '../../../sluice/registry/v1/TrustedSources.ts';

/**
 * Changes of a label policy: only the fields that are set change.
 */
export interface LabelChanges {
  /**
   * Not given or UNSPECIFIED: as it is.
   */
  'resolution'?: (_sluice_registry_v1_LabelResolution);
  /**
   * Replaces the whole list.
   */
  'trustedSources'?: (_sluice_registry_v1_TrustedSources | null);
}

/**
 * Changes of a label policy: only the fields that are set change.
 */
export interface LabelChanges__Output {
  /**
   * Not given or UNSPECIFIED: as it is.
   */
  'resolution': (_sluice_registry_v1_LabelResolution__Output);
  /**
   * Replaces the whole list.
   */
  'trustedSources': (_sluice_registry_v1_TrustedSources__Output | null);
}
