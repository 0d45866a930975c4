// Original file: protos/sluice/feedback/v1/subscribe.proto

import type { FollowedRow as _sluice_feedback_v1_FollowedRow, FollowedRow__Output as _sluice_feedback_v1_FollowedRow__Output } from '../../../sluice/feedback/v1/FollowedRow.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../../google/protobuf/Duration.ts';

export interface SubscribeResponse {
  /**
   * In their order; empty in a heartbeat. At most 1,000.
   */
  'rows'?: (_sluice_feedback_v1_FollowedRow)[];
  /**
   * Opaque: goes on behind these rows.
   */
  'cursor'?: (string);
  /**
   * Rows that are committed wait for a transaction that began before theirs and is still under way: how long that one has run; 0 when
   * no row waits. Where this grows, a transaction is stuck.
   */
  'heldBack'?: (_google_protobuf_Duration | null);
  /**
   * More rows are there already: the caller is behind, not the database.
   */
  'more'?: (boolean);
}

export interface SubscribeResponse__Output {
  /**
   * In their order; empty in a heartbeat. At most 1,000.
   */
  'rows': (_sluice_feedback_v1_FollowedRow__Output)[];
  /**
   * Opaque: goes on behind these rows.
   */
  'cursor': (string);
  /**
   * Rows that are committed wait for a transaction that began before theirs and is still under way: how long that one has run; 0 when
   * no row waits. Where this grows, a transaction is stuck.
   */
  'heldBack': (_google_protobuf_Duration__Output | null);
  /**
   * More rows are there already: the caller is behind, not the database.
   */
  'more': (boolean);
}
