import type { ArmRole } from '@sluice/domain/release';
import type { PayloadState } from '@sluice/evidence/record';
import type { AttemptKey, LabelValue } from '../predictions/prediction.ts';
import type { TimeRange } from '../predictions/time-range.ts';
import type { LabelPolicy } from '../versions/registry-version.ts';

/** Which rows a file has. */
export interface ExportFilter {
  readonly model: string;
  /** Empty: all. */
  readonly versions: readonly number[];
  /** Undefined: all. */
  readonly arm: string | undefined;
  /** Undefined: all. */
  readonly role: ArmRole | undefined;
  readonly range: TimeRange;
  readonly status: 'any' | 'ok' | 'failed';
  /** Of each row, not of the record. */
  readonly label: 'any' | 'labelled' | 'unlabelled';
}

/** A filter, and the moment whose rows it is about: what was stored by transactions that had ended then. */
export interface ExportQuery extends ExportFilter {
  readonly horizon: Horizon;
}

/** A moment in the tables of one database. */
export interface Horizon {
  /** Of the cluster that the transaction ids are of: another one after a restore. */
  readonly history: string;
  /** Rows with lower transaction ids count. */
  readonly xid: string;
}

/** One attempt of one arm, as a file needs it. */
export interface ExportedRecord extends AttemptKey {
  readonly skewed: boolean;
  readonly receivedMs: number;
  readonly version: number;
  readonly versionDigest: string;
  readonly role: ArmRole | undefined;
  readonly answered: boolean;
  readonly status: number;
  /** From 1 on: one where nobody counted them. */
  readonly rows: number;
  readonly keepProbability: number;
  /** Keyed hash in hex; undefined for a record of nobody. */
  readonly subjectHash: string | undefined;
  readonly requestState: PayloadState;
  readonly responseState: PayloadState;
  /** Of both payloads, as they are stored. */
  readonly payloadBytes: number;
}

/** The label that counts of a row. */
export interface Truth extends LabelValue {
  readonly source: string;
  /** Milliseconds since the epoch; undefined where nobody said when it was found. */
  readonly labelledMs: number | undefined;
  readonly recordedMs: number;
}

/** A place in the order of the file: after this record. */
export type ExportPlace = AttemptKey & { readonly skewed: boolean };

export interface ExportPage {
  readonly records: readonly ExportedRecord[];
  /** Where to go on; undefined at the end. */
  readonly next: ExportPlace | undefined;
}

/** What there is of one version. */
export interface VersionCount {
  readonly version: number;
  readonly versionDigest: string;
  readonly rows: number;
  /** Requests and responses that are stored. */
  readonly payloads: number;
}

/** What is stored of the payloads of a record. */
export interface SealedPair {
  readonly request: Uint8Array | undefined;
  readonly response: Uint8Array | undefined;
  readonly keyId: string | undefined;
}

/** The tables, as an export sees them. No call looks at more than a bounded number of records. */
export interface ExportReader {
  /** @throws SluiceError failed-precondition for a horizon of another database, or one that is yet to come */
  horizon(asked: Horizon | undefined): Promise<Horizon>;
  /** What the next records have that fit, by version. */
  count(
    query: ExportQuery,
    after: ExportPlace | undefined,
  ): Promise<{ readonly versions: readonly VersionCount[]; readonly next: ExportPlace | undefined }>;
  /** The next records that fit, by id, arm and attempt. */
  page(query: ExportQuery, after: ExportPlace | undefined): Promise<ExportPage>;
  /** Truth of rows `from` to `to` (without it) of records that follow each other, by `truthKey`. */
  truths(
    query: ExportQuery,
    policy: LabelPolicy,
    records: readonly ExportedRecord[],
    rows: { readonly from: number; readonly to: number },
  ): Promise<ReadonlyMap<string, Truth>>;
  /** Of records that follow each other, in their order. */
  payloads(records: readonly ExportedRecord[]): Promise<readonly SealedPair[]>;
}

export const truthKey = ({ retentionClass, predictionId }: AttemptKey, row: number): string =>
  `${retentionClass} ${predictionId} ${row}`;

/** Which subjects a file has payloads of. */
export interface ExportSubjects {
  /** Notes hashes while the file is made. */
  add(exportId: string, hashes: ReadonlySet<string>): Promise<void>;
  /** How many there are, and the first of them in their order. */
  look(exportId: string, most: number): Promise<{ readonly count: number; readonly first: readonly string[] }>;
  /** The file is whole: whoever asks for one of the subjects is told of it from now on. */
  publish(exportId: string, digest: string, dataSet: string): Promise<void>;
  /** Forgets what `add` noted. */
  discard(exportId: string): Promise<void>;
}
