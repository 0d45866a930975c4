// Original file: protos/sluice/registry/v1/audit.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface AuditEntry {
  'leafIndex'?: (number | string | Long);
  'effectiveAt'?: (_google_protobuf_Timestamp | null);
  'actor'?: (string);
  /**
   * How the actor was known: `unauthenticated` until there is authentication.
   */
  'actorKind'?: (string);
  /**
   * Such as `alias.move.requested`.
   */
  'action'?: (string);
  /**
   * Such as `model/digits/alias/champion`.
   */
  'object'?: (string);
  /**
   * The canonical JSON that was hashed.
   */
  'canonicalJson'?: (string);
  'leafHash'?: (Buffer | Uint8Array | string);
}

export interface AuditEntry__Output {
  'leafIndex': (string);
  'effectiveAt': (_google_protobuf_Timestamp__Output | null);
  'actor': (string);
  /**
   * How the actor was known: `unauthenticated` until there is authentication.
   */
  'actorKind': (string);
  /**
   * Such as `alias.move.requested`.
   */
  'action': (string);
  /**
   * Such as `model/digits/alias/champion`.
   */
  'object': (string);
  /**
   * The canonical JSON that was hashed.
   */
  'canonicalJson': (string);
  'leafHash': (Buffer);
}
