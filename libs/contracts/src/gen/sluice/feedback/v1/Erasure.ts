// Original file: protos/sluice/feedback/v1/privacy.proto

import type { ErasureState as _sluice_feedback_v1_ErasureState, ErasureState__Output as _sluice_feedback_v1_ErasureState__Output } from '../../../sluice/feedback/v1/ErasureState.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { ErasurePending as _sluice_feedback_v1_ErasurePending, ErasurePending__Output as _sluice_feedback_v1_ErasurePending__Output } from '../../../sluice/feedback/v1/ErasurePending.ts';
import type { SubjectExport as _sluice_feedback_v1_SubjectExport, SubjectExport__Output as _sluice_feedback_v1_SubjectExport__Output } from '../../../sluice/feedback/v1/SubjectExport.ts';
import type { Long } from '@grpc/proto-loader';

export interface Erasure {
  'erasureId'?: (string);
  /**
   * One after the other without gaps.
   */
  'number'?: (number | string | Long);
  'state'?: (_sluice_feedback_v1_ErasureState);
  /**
   * Keyed hash of the subject, in hex: the same for the same subject, and the only form in which it is kept.
   */
  'subjectHash'?: (string);
  'reason'?: (string);
  /**
   * Who ordered it: metadata `sluice-actor`.
   */
  'actor'?: (string);
  'requestId'?: (string);
  'orderedAt'?: (_google_protobuf_Timestamp | null);
  /**
   * Unset while it is pending.
   */
  'doneAt'?: (_google_protobuf_Timestamp | null);
  /**
   * Keys that it destroyed: 0 when the subject had no payload here.
   */
  'keysDestroyed'?: (number);
  /**
   * What it waits for.
   */
  'pending'?: (_sluice_feedback_v1_ErasurePending | null);
  /**
   * Data sets that were exported with payloads of the subject, which nobody can take back: at most 1,000.
   */
  'exports'?: (_sluice_feedback_v1_SubjectExport)[];
}

export interface Erasure__Output {
  'erasureId': (string);
  /**
   * One after the other without gaps.
   */
  'number': (string);
  'state': (_sluice_feedback_v1_ErasureState__Output);
  /**
   * Keyed hash of the subject, in hex: the same for the same subject, and the only form in which it is kept.
   */
  'subjectHash': (string);
  'reason': (string);
  /**
   * Who ordered it: metadata `sluice-actor`.
   */
  'actor': (string);
  'requestId': (string);
  'orderedAt': (_google_protobuf_Timestamp__Output | null);
  /**
   * Unset while it is pending.
   */
  'doneAt': (_google_protobuf_Timestamp__Output | null);
  /**
   * Keys that it destroyed: 0 when the subject had no payload here.
   */
  'keysDestroyed': (number);
  /**
   * What it waits for.
   */
  'pending': (_sluice_feedback_v1_ErasurePending__Output | null);
  /**
   * Data sets that were exported with payloads of the subject, which nobody can take back: at most 1,000.
   */
  'exports': (_sluice_feedback_v1_SubjectExport__Output)[];
}
