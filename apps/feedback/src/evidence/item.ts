import type { EvidenceRecord } from '@sluice/evidence/record';

/** Where a block came from. */
export interface Origin {
  readonly spoolId: string;
  readonly routerId: string;
  /** Of the block in its spool. */
  readonly position: number;
}

/** A record that is to be stored, and where it lies. */
export interface EvidenceItem {
  readonly record: EvidenceRecord;
  readonly origin: Origin;
  readonly block: Uint8Array;
  /** Its place among the records of the block. */
  readonly index: number;
}

/** Why something could not be stored. */
export const deadReasons = [
  /** The bytes are not what routers write. */
  'unreadable',
  /** A layout of a newer router: an upgrade of feedback reads it. */
  'unknown-layout',
  /** A field has a value that no record may have. */
  'invalid',
  /** Postgres would not take it. */
  'refused',
] as const;
export type DeadReason = (typeof deadReasons)[number];

/** What could not be stored, and why. */
export interface DeadLetter {
  readonly kind: 'block' | 'record';
  readonly reason: DeadReason;
  /** A sentence without any value of the record. */
  readonly detail: string;
  readonly origin: Origin;
  /** The block that came, or one with the record alone. */
  readonly bytes: Uint8Array;
  readonly predictionId: string | undefined;
  readonly model: string | undefined;
  /** Undefined for a block. */
  readonly record: EvidenceRecord | undefined;
}
