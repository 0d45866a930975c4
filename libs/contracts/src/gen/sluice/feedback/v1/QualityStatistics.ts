// Original file: protos/sluice/feedback/v1/predictions.proto

import type { QualityState as _sluice_feedback_v1_QualityState, QualityState__Output as _sluice_feedback_v1_QualityState__Output } from '../../../sluice/feedback/v1/QualityState.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Counts rows, each by its weight. Figures are set where they were measured, and never otherwise.
 */
export interface QualityStatistics {
  'state'?: (_sluice_feedback_v1_QualityState);
  /**
   * Labelled rows by what became of them, as stored.
   */
  'scored'?: (number | string | Long);
  'notCaptured'?: (number | string | Long);
  'erased'?: (number | string | Long);
  'notDecodable'?: (number | string | Long);
  /**
   * Sum of the weights of those that were scored.
   */
  'scoredEstimate'?: (number | string);
  /**
   * Of scored rows of a classification: `correct` is stored, not weighted.
   */
  'correct'?: (number | string | Long);
  'accuracy'?: (number | string);
  /**
   * Of `positive_class`: not set where it was never predicted (precision) or never true (recall). Where it is empty the mean over all classes
   * that were true or predicted, in which such a class counts as 0.
   */
  'precision'?: (number | string);
  'recall'?: (number | string);
  'positiveClass'?: (string);
  /**
   * Over rows whose answer gave probabilities: mean of -ln(probability of the true class), which counts as 1e-15 at least.
   */
  'logLoss'?: (number | string);
  'logLossRows'?: (number | string | Long);
  /**
   * Of a regression.
   */
  'meanAbsoluteError'?: (number | string);
  '_accuracy'?: "accuracy";
  '_precision'?: "precision";
  '_recall'?: "recall";
  '_logLoss'?: "logLoss";
  '_meanAbsoluteError'?: "meanAbsoluteError";
}

/**
 * Counts rows, each by its weight. Figures are set where they were measured, and never otherwise.
 */
export interface QualityStatistics__Output {
  'state': (_sluice_feedback_v1_QualityState__Output);
  /**
   * Labelled rows by what became of them, as stored.
   */
  'scored': (string);
  'notCaptured': (string);
  'erased': (string);
  'notDecodable': (string);
  /**
   * Sum of the weights of those that were scored.
   */
  'scoredEstimate': (number);
  /**
   * Of scored rows of a classification: `correct` is stored, not weighted.
   */
  'correct': (string);
  'accuracy'?: (number);
  /**
   * Of `positive_class`: not set where it was never predicted (precision) or never true (recall). Where it is empty the mean over all classes
   * that were true or predicted, in which such a class counts as 0.
   */
  'precision'?: (number);
  'recall'?: (number);
  'positiveClass': (string);
  /**
   * Over rows whose answer gave probabilities: mean of -ln(probability of the true class), which counts as 1e-15 at least.
   */
  'logLoss'?: (number);
  'logLossRows': (string);
  /**
   * Of a regression.
   */
  'meanAbsoluteError'?: (number);
  '_accuracy'?: "accuracy";
  '_precision'?: "precision";
  '_recall'?: "recall";
  '_logLoss'?: "logLoss";
  '_meanAbsoluteError'?: "meanAbsoluteError";
}
