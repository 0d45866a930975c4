// Original file: protos/sluice/registry/v1/types.proto

import type { LabelResolution as _sluice_registry_v1_LabelResolution, LabelResolution__Output as _sluice_registry_v1_LabelResolution__Output } from '../../../sluice/registry/v1/LabelResolution.ts';

/**
 * Which of the labels of a row counts.
 */
export interface LabelPolicy {
  'resolution'?: (_sluice_registry_v1_LabelResolution);
  /**
   * Names of sources, the most trusted first: what TRUSTED_FIRST goes by.
   */
  'trustedSources'?: (string)[];
}

/**
 * Which of the labels of a row counts.
 */
export interface LabelPolicy__Output {
  'resolution': (_sluice_registry_v1_LabelResolution__Output);
  /**
   * Names of sources, the most trusted first: what TRUSTED_FIRST goes by.
   */
  'trustedSources': (string)[];
}
