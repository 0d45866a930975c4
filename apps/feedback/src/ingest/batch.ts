import type { EvidenceContext } from '@sluice/evidence/record';
import type { DeadLetter, EvidenceItem } from '../evidence/item.ts';

/** What is stored in one transaction. */
export interface Batch {
  /** Each of a day that is kept. */
  readonly rows: readonly EvidenceItem[];
  /** Of a time for which there is no day. */
  readonly skewed: readonly EvidenceItem[];
  readonly dead: readonly DeadLetter[];
}

/** What became of a batch. */
export interface Written {
  /** How it was stored: by COPY alone, over a staging table because rows were there already, or in halves. */
  readonly path: 'straight' | 'staged' | 'split';
  /** Rows that were not there before, and of them those out of time. */
  readonly stored: number;
  readonly skewed: number;
  readonly duplicates: number;
  /** The batch's own, and records that the database refused. */
  readonly dead: readonly DeadLetter[];
}

/** Whether the registry has the version of a context; undefined where that is not known. */
export type VersionFlag = (context: EvidenceContext) => boolean | undefined;

/** The tables, as ingest sees them. */
export interface EvidenceStore {
  /** Resolves when all of the batch is committed. Writing a batch again stores nothing twice. */
  write(batch: Batch, isKnown: VersionFlag): Promise<Written>;
}
