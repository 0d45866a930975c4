import type { ArmRole, RetentionClass } from '@sluice/domain/release';
import { failedPrecondition, invalidArgument } from '@sluice/domain/errors';
import type { PayloadState } from '@sluice/evidence/record';
import type { DataSource } from 'typeorm';
import type {
  ExportedRecord,
  ExportPage,
  ExportPlace,
  ExportQuery,
  ExportReader,
  Horizon,
  SealedPair,
  Truth,
  VersionCount,
} from '../exports/export.ts';
import { truthKey } from '../exports/export.ts';
import type { KeyRing } from '../payloads/key-ring.ts';
import type { LabelPolicy } from '../versions/registry-version.ts';
import { statement } from './connection.ts';
import { exportOrder, fits, truthsSql, windowSql } from './export-sql.ts';
import { Values } from './values.ts';

interface KeyRow {
  readonly class: RetentionClass;
  readonly prediction_id: string;
  readonly arm: string;
  readonly attempt: number;
  readonly skewed: boolean;
}

interface RecordRow extends KeyRow {
  readonly received_at: Date;
  readonly version: number;
  readonly version_digest: string;
  readonly role: ArmRole | null;
  readonly answered: boolean;
  readonly status: number;
  readonly rows: number;
  readonly keep_probability: number;
  readonly subject: string;
  readonly request_state: PayloadState;
  readonly response_state: PayloadState;
  readonly request_bytes: number | null;
  readonly response_bytes: number | null;
}

interface TruthRow {
  readonly class: RetentionClass;
  readonly prediction_id: string;
  readonly row: number;
  readonly name: string | null;
  readonly number: number | null;
  readonly source: string;
  readonly labelled_micros: number | null;
  readonly recorded_micros: number;
}

interface PayloadRow extends KeyRow {
  readonly request: Buffer | null;
  readonly response: Buffer | null;
  readonly payload_key_id: string | null;
}

/** How many records one statement looks at. */
export interface LookedAt {
  readonly counting: number;
  readonly reading: number;
}

const lookedAtOnce: LookedAt = { counting: 20_000, reading: 2_000 };

/** The tables of an export in Postgres. Plain subjects stay here: what goes out are their keyed hashes. */
export class ExportStore implements ExportReader {
  readonly #dataSource: DataSource;
  readonly #ring: KeyRing;
  readonly #available: () => void;
  readonly #lookedAt: LookedAt;

  /** @param available throws `unavailable` while the database is known to be away */
  constructor(dataSource: DataSource, ring: KeyRing, available: () => void, lookedAt = lookedAtOnce) {
    this.#dataSource = dataSource;
    this.#ring = ring;
    this.#available = available;
    this.#lookedAt = lookedAt;
  }

  async horizon(asked: Horizon | undefined): Promise<Horizon> {
    const [row] = await this.#query<{ history: string; xid: string; passed: boolean }>(
      `SELECT history::text, pg_snapshot_xmin(now.is)::text AS xid, $1::xid8 <= pg_snapshot_xmin(now.is) AS passed
       FROM feedback.cluster, (SELECT pg_current_snapshot() AS is) AS now`,
      [asked?.xid ?? '0'],
    );
    if (!asked) return { history: row!.history, xid: row!.xid };
    if (asked.history !== row!.history)
      throw failedPrecondition(
        'horizon: it is of another database, or of before this one was restored; export anew, without one',
      );
    if (!row!.passed) throw invalidArgument('horizon: it is yet to come; expected that of a manifest');
    return asked;
  }

  async count(query: ExportQuery, after: ExportPlace | undefined) {
    const bound = new Values();
    const most = this.#lookedAt.counting;
    const window = windowSql(query, after, most, bound);
    const rows = await this.#query<CountRow>(
      `WITH looked AS MATERIALIZED (${window}),
         last AS (SELECT prediction_id, arm, attempt, skewed, class FROM looked ORDER BY
           prediction_id DESC, arm DESC, attempt DESC, skewed DESC, class DESC LIMIT 1)
       SELECT last.*, (SELECT count(*) FROM looked) AS looked_at, counted.*
       FROM last LEFT JOIN (
         SELECT version, version_digest, sum(greatest(rows, 1)) AS rows, count(request_bytes) + count(response_bytes) AS payloads
         FROM looked WHERE ${fits(query, bound)} GROUP BY version, version_digest
       ) AS counted ON true`,
      bound.list,
    );
    const versions = rows.flatMap((row): VersionCount[] =>
      row.version === null
        ? []
        : [
            {
              ...{ version: row.version, versionDigest: row.version_digest! },
              ...{ rows: Number(row.rows), payloads: Number(row.payloads) },
            },
          ],
    );
    const [first] = rows;
    return { versions, next: first && first.looked_at === most ? placeOf(first) : undefined };
  }

  async page(query: ExportQuery, after: ExportPlace | undefined): Promise<ExportPage> {
    const bound = new Values();
    const most = this.#lookedAt.reading;
    const window = windowSql(query, after, most, bound);
    const rows = await this.#query<RecordRow & { looked_at: number; found: boolean }>(
      `SELECT * FROM (
         SELECT *, row_number() OVER (ORDER BY ${exportOrder}) AS place, count(*) OVER () AS looked_at,
           coalesce(${fits(query, bound)}, false) AS found
         FROM (${window}) AS looked
       ) AS judged
       WHERE found OR place = looked_at ORDER BY ${exportOrder}`,
      bound.list,
    );
    const last = rows.at(-1);
    return {
      records: rows.filter(({ found }) => found).map((row) => this.#toRecord(row)),
      next: last && last.looked_at === most ? placeOf(last) : undefined,
    };
  }

  async truths(
    query: ExportQuery,
    policy: LabelPolicy,
    records: readonly ExportedRecord[],
    rows: { readonly from: number; readonly to: number },
  ): Promise<ReadonlyMap<string, Truth>> {
    if (records.length === 0) return new Map();
    const bound = new Values();
    const keys = { classes: records.map((each) => each.retentionClass), ids: records.map((each) => each.predictionId) };
    const found = await this.#query<TruthRow>(truthsSql(query, policy, keys, rows, bound), bound.list);
    return new Map(
      found.map((each) => [
        truthKey({ ...placeOf({ ...each, arm: '', attempt: 0, skewed: false }) }, each.row),
        {
          ...{ name: each.name ?? undefined, number: each.number ?? undefined, source: each.source },
          labelledMs: each.labelled_micros === null ? undefined : each.labelled_micros / 1000,
          recordedMs: each.recorded_micros / 1000,
        },
      ]),
    );
  }

  async payloads(records: readonly ExportedRecord[]): Promise<readonly SealedPair[]> {
    if (records.length === 0) return [];
    const sql = (table: string): string => `
      SELECT class, prediction_id, arm, attempt, ${table === 'evidence_skewed'} AS skewed, request, response, payload_key_id
      FROM feedback.${table}
      WHERE class = ANY ($1::text[]) AND prediction_id >= $2::uuid AND prediction_id <= $3::uuid
        AND (class, prediction_id, arm, attempt) IN (SELECT * FROM unnest($4::text[], $5::uuid[], $6::text[], $7::smallint[]))`;
    const classes = records.map((each) => each.retentionClass);
    const ids = records.map((each) => each.predictionId);
    const rows = await this.#query<PayloadRow>(`${sql('evidence')} UNION ALL ${sql('evidence_skewed')}`, [
      ...[[...new Set(classes)], ids[0], ids.at(-1), classes, ids],
      ...[records.map((each) => each.arm), records.map((each) => each.attempt)],
    ]);
    const byKey = new Map(rows.map((row) => [keyOf(placeOf(row)), row]));
    return records.map((record) => {
      const row = byKey.get(keyOf(record));
      return {
        ...{ request: row?.request ?? undefined, response: row?.response ?? undefined },
        keyId: row?.payload_key_id ?? undefined,
      };
    });
  }

  #toRecord(row: RecordRow): ExportedRecord {
    return {
      ...{ ...placeOf(row), receivedMs: row.received_at.getTime(), version: row.version },
      ...{ versionDigest: row.version_digest, role: row.role ?? undefined, answered: row.answered, status: row.status },
      ...{ rows: Math.max(1, row.rows), keepProbability: row.keep_probability },
      subjectHash: row.subject === '' ? undefined : this.#ring.hashSubject(row.subject).toString('hex'),
      ...{ requestState: row.request_state, responseState: row.response_state },
      payloadBytes: (row.request_bytes ?? 0) + (row.response_bytes ?? 0),
    };
  }

  #query<R>(sql: string, parameters: unknown[]): Promise<R[]> {
    this.#available();
    return statement<R>(this.#dataSource, sql, parameters);
  }
}

interface CountRow extends KeyRow {
  readonly looked_at: number;
  readonly version: number | null;
  readonly version_digest: string | null;
  readonly rows: number | string | null;
  readonly payloads: number | string | null;
}

const placeOf = (row: KeyRow): ExportPlace => ({
  ...{ retentionClass: row.class, predictionId: row.prediction_id, arm: row.arm, attempt: row.attempt },
  skewed: row.skewed,
});

const keyOf = ({ retentionClass, predictionId, arm, attempt, skewed }: ExportPlace): string =>
  `${retentionClass} ${predictionId} ${attempt} ${skewed} ${arm}`;
