// Original file: protos/sluice/feedback/v1/subscribe.proto

import type { SubscribeBegin as _sluice_feedback_v1_SubscribeBegin, SubscribeBegin__Output as _sluice_feedback_v1_SubscribeBegin__Output } from '../../../sluice/feedback/v1/SubscribeBegin.ts';
import type { FollowedKind as _sluice_feedback_v1_FollowedKind, FollowedKind__Output as _sluice_feedback_v1_FollowedKind__Output } from '../../../sluice/feedback/v1/FollowedKind.ts';

export interface SubscribeRequest {
  /**
   * Of a message that the caller has done with; it may be used with another filter too. Either this or `begin`.
   */
  'cursor'?: (string);
  'begin'?: (_sluice_feedback_v1_SubscribeBegin);
  /**
   * Only these; empty for all.
   */
  'kinds'?: (_sluice_feedback_v1_FollowedKind)[];
  /**
   * Only rows of this model; empty for all.
   */
  'model'?: (string);
  /**
   * The longest time without a message, in milliseconds: 100 to 60,000; 0 means 5,000.
   */
  'heartbeatMs'?: (number);
}

export interface SubscribeRequest__Output {
  /**
   * Of a message that the caller has done with; it may be used with another filter too. Either this or `begin`.
   */
  'cursor': (string);
  'begin': (_sluice_feedback_v1_SubscribeBegin__Output);
  /**
   * Only these; empty for all.
   */
  'kinds': (_sluice_feedback_v1_FollowedKind__Output)[];
  /**
   * Only rows of this model; empty for all.
   */
  'model': (string);
  /**
   * The longest time without a message, in milliseconds: 100 to 60,000; 0 means 5,000.
   */
  'heartbeatMs': (number);
}
