// Original file: protos/sluice/feedback/v1/privacy.proto

import type { Spool as _sluice_feedback_v1_Spool, Spool__Output as _sluice_feedback_v1_Spool__Output } from '../../../sluice/feedback/v1/Spool.ts';
import type { Long } from '@grpc/proto-loader';

export interface ErasurePending {
  /**
   * Spools that may hold something from before it: at most 1,000.
   */
  'spools'?: (_sluice_feedback_v1_Spool)[];
  'spoolCount'?: (number | string | Long);
  /**
   * Dead letters that cannot be read and may hold payloads of anybody. Each goes when it is replayed, when it has been kept as long as the
   * settings say, or with an order that says `destroy_unreadable`.
   */
  'unreadableDeadLetters'?: (number | string | Long);
  /**
   * It is not in the artifact store yet.
   */
  'document'?: (boolean);
  /**
   * Texts of feedback whose prediction is not there yet, so that nobody knows whose they are. Each is joined, or given up, when it has
   * waited as long as the settings say.
   */
  'waitingFeedback'?: (number | string | Long);
}

export interface ErasurePending__Output {
  /**
   * Spools that may hold something from before it: at most 1,000.
   */
  'spools': (_sluice_feedback_v1_Spool__Output)[];
  'spoolCount': (string);
  /**
   * Dead letters that cannot be read and may hold payloads of anybody. Each goes when it is replayed, when it has been kept as long as the
   * settings say, or with an order that says `destroy_unreadable`.
   */
  'unreadableDeadLetters': (string);
  /**
   * It is not in the artifact store yet.
   */
  'document': (boolean);
  /**
   * Texts of feedback whose prediction is not there yet, so that nobody knows whose they are. Each is joined, or given up, when it has
   * waited as long as the settings say.
   */
  'waitingFeedback': (string);
}
