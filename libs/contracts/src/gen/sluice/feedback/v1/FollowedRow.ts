// Original file: protos/sluice/feedback/v1/subscribe.proto

import type { FollowedEvidence as _sluice_feedback_v1_FollowedEvidence, FollowedEvidence__Output as _sluice_feedback_v1_FollowedEvidence__Output } from '../../../sluice/feedback/v1/FollowedEvidence.ts';
import type { FollowedLabel as _sluice_feedback_v1_FollowedLabel, FollowedLabel__Output as _sluice_feedback_v1_FollowedLabel__Output } from '../../../sluice/feedback/v1/FollowedLabel.ts';
import type { FollowedOutcome as _sluice_feedback_v1_FollowedOutcome, FollowedOutcome__Output as _sluice_feedback_v1_FollowedOutcome__Output } from '../../../sluice/feedback/v1/FollowedOutcome.ts';

export interface FollowedRow {
  'evidence'?: (_sluice_feedback_v1_FollowedEvidence | null);
  'label'?: (_sluice_feedback_v1_FollowedLabel | null);
  'outcome'?: (_sluice_feedback_v1_FollowedOutcome | null);
  'row'?: "evidence"|"label"|"outcome";
}

export interface FollowedRow__Output {
  'evidence'?: (_sluice_feedback_v1_FollowedEvidence__Output | null);
  'label'?: (_sluice_feedback_v1_FollowedLabel__Output | null);
  'outcome'?: (_sluice_feedback_v1_FollowedOutcome__Output | null);
  'row'?: "evidence"|"label"|"outcome";
}
