// Original file: protos/sluice/feedback/v1/predictions.proto

import type { PredictionAttempt as _sluice_feedback_v1_PredictionAttempt, PredictionAttempt__Output as _sluice_feedback_v1_PredictionAttempt__Output } from '../../../sluice/feedback/v1/PredictionAttempt.ts';
import type { PredictionLabel as _sluice_feedback_v1_PredictionLabel, PredictionLabel__Output as _sluice_feedback_v1_PredictionLabel__Output } from '../../../sluice/feedback/v1/PredictionLabel.ts';
import type { PredictionOutcome as _sluice_feedback_v1_PredictionOutcome, PredictionOutcome__Output as _sluice_feedback_v1_PredictionOutcome__Output } from '../../../sluice/feedback/v1/PredictionOutcome.ts';
import type { AuditLink as _sluice_feedback_v1_AuditLink, AuditLink__Output as _sluice_feedback_v1_AuditLink__Output } from '../../../sluice/feedback/v1/AuditLink.ts';
import type { LabelPolicy as _sluice_feedback_v1_LabelPolicy, LabelPolicy__Output as _sluice_feedback_v1_LabelPolicy__Output } from '../../../sluice/feedback/v1/LabelPolicy.ts';
import type { PredictionFeedback as _sluice_feedback_v1_PredictionFeedback, PredictionFeedback__Output as _sluice_feedback_v1_PredictionFeedback__Output } from '../../../sluice/feedback/v1/PredictionFeedback.ts';

export interface Prediction {
  'predictionId'?: (string);
  /**
   * Those that answer first: the one that was answered, other attempts, shadows; each arm by attempt.
   */
  'attempts'?: (_sluice_feedback_v1_PredictionAttempt)[];
  /**
   * By row, then the one that counts first.
   */
  'labels'?: (_sluice_feedback_v1_PredictionLabel)[];
  'outcomes'?: (_sluice_feedback_v1_PredictionOutcome)[];
  /**
   * Entries of the audit log by which the attempts came to be made as they were.
   */
  'auditLinks'?: (_sluice_feedback_v1_AuditLink)[];
  /**
   * By which `resolves` of labels is set.
   */
  'labelPolicy'?: (_sluice_feedback_v1_LabelPolicy | null);
  /**
   * What is beyond 1,000 attempts or items of feedback, or 10,000 labels or outcomes, is left out.
   */
  'cut'?: (boolean);
  /**
   * In the order in which it was recorded.
   */
  'feedback'?: (_sluice_feedback_v1_PredictionFeedback)[];
}

export interface Prediction__Output {
  'predictionId': (string);
  /**
   * Those that answer first: the one that was answered, other attempts, shadows; each arm by attempt.
   */
  'attempts': (_sluice_feedback_v1_PredictionAttempt__Output)[];
  /**
   * By row, then the one that counts first.
   */
  'labels': (_sluice_feedback_v1_PredictionLabel__Output)[];
  'outcomes': (_sluice_feedback_v1_PredictionOutcome__Output)[];
  /**
   * Entries of the audit log by which the attempts came to be made as they were.
   */
  'auditLinks': (_sluice_feedback_v1_AuditLink__Output)[];
  /**
   * By which `resolves` of labels is set.
   */
  'labelPolicy': (_sluice_feedback_v1_LabelPolicy__Output | null);
  /**
   * What is beyond 1,000 attempts or items of feedback, or 10,000 labels or outcomes, is left out.
   */
  'cut': (boolean);
  /**
   * In the order in which it was recorded.
   */
  'feedback': (_sluice_feedback_v1_PredictionFeedback__Output)[];
}
