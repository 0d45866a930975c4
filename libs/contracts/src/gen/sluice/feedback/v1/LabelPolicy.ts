// Original file: protos/sluice/feedback/v1/predictions.proto

import type { LabelResolution as _sluice_feedback_v1_LabelResolution, LabelResolution__Output as _sluice_feedback_v1_LabelResolution__Output } from '../../../sluice/feedback/v1/LabelResolution.ts';

/**
 * Which of several labels of one row counts.
 */
export interface LabelPolicy {
  'resolution'?: (_sluice_feedback_v1_LabelResolution);
  /**
   * Of TRUSTED_FIRST, the most trusted first; 1 to 32.
   */
  'trustedSources'?: (string)[];
}

/**
 * Which of several labels of one row counts.
 */
export interface LabelPolicy__Output {
  'resolution': (_sluice_feedback_v1_LabelResolution__Output);
  /**
   * Of TRUSTED_FIRST, the most trusted first; 1 to 32.
   */
  'trustedSources': (string)[];
}
