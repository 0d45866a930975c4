// Original file: protos/sluice/registry/v1/audit.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * What another service did. In the log its action has the source before it, and its body is the source, the sequence,
 * the time and the details.
 */
export interface SourceEntry {
  /**
   * 1, 2, 3 ... without gaps: an identity column has gaps where a transaction was rolled back.
   */
  'sequence'?: (number | string | Long);
  /**
   * Who did it: 1 to 128 visible characters, as the metadata `sluice-actor`.
   */
  'actor'?: (string);
  /**
   * The name of a call or words joined by dots, at most 64 characters: of `feedback`, `ReadPayloads` is
   * `feedback.read_payloads` in the log, and `subject.erased` is `feedback.subject.erased`.
   */
  'action'?: (string);
  /**
   * Such as `model/digits`: 1 to 512 visible characters.
   */
  'object'?: (string);
  /**
   * A JSON object of at most 65,536 characters, at most 32 deep; empty for none.
   */
  'detailsJson'?: (string);
  /**
   * By the clock of the source; the entry's own time is when it was appended.
   */
  'recordedAt'?: (_google_protobuf_Timestamp | null);
}

/**
 * What another service did. In the log its action has the source before it, and its body is the source, the sequence,
 * the time and the details.
 */
export interface SourceEntry__Output {
  /**
   * 1, 2, 3 ... without gaps: an identity column has gaps where a transaction was rolled back.
   */
  'sequence': (string);
  /**
   * Who did it: 1 to 128 visible characters, as the metadata `sluice-actor`.
   */
  'actor': (string);
  /**
   * The name of a call or words joined by dots, at most 64 characters: of `feedback`, `ReadPayloads` is
   * `feedback.read_payloads` in the log, and `subject.erased` is `feedback.subject.erased`.
   */
  'action': (string);
  /**
   * Such as `model/digits`: 1 to 512 visible characters.
   */
  'object': (string);
  /**
   * A JSON object of at most 65,536 characters, at most 32 deep; empty for none.
   */
  'detailsJson': (string);
  /**
   * By the clock of the source; the entry's own time is when it was appended.
   */
  'recordedAt': (_google_protobuf_Timestamp__Output | null);
}
