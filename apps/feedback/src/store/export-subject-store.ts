import type { DataSource } from 'typeorm';
import type { ExportSubjects } from '../exports/export.ts';
import { statement } from './connection.ts';

/** Hashes that one statement moves. */
const movedAtOnce = 5_000;

/** Days after which what an export noted counts as left by a process that died. */
const abandonedDays = 7;

/** Subjects of exports in Postgres: noted while a file is made, however many, and published with its digest. */
export class ExportSubjectStore implements ExportSubjects {
  readonly #dataSource: DataSource;
  readonly #available: () => void;

  /** @param available throws `unavailable` while the database is known to be away */
  constructor(dataSource: DataSource, available: () => void) {
    this.#dataSource = dataSource;
    this.#available = available;
  }

  async add(exportId: string, hashes: ReadonlySet<string>): Promise<void> {
    if (hashes.size === 0) return;
    await this.#query(
      `INSERT INTO feedback.export_staging (export_id, subject_hash)
         SELECT $1, decode(hash, 'hex') FROM unnest($2::text[]) AS given (hash) ORDER BY hash ON CONFLICT DO NOTHING`,
      [exportId, [...hashes]],
    );
  }

  async look(exportId: string, most: number): Promise<{ readonly count: number; readonly first: readonly string[] }> {
    const [row] = await this.#query<{ count: number }>(
      'SELECT count(*) AS count FROM feedback.export_staging WHERE export_id = $1',
      [exportId],
    );
    const first = await this.#query<{ hash: string }>(
      `SELECT encode(subject_hash, 'hex') AS hash FROM feedback.export_staging WHERE export_id = $1
         ORDER BY subject_hash LIMIT $2`,
      [exportId, most],
    );
    return { count: row!.count, first: first.map(({ hash }) => hash) };
  }

  async publish(exportId: string, digest: string, dataSet: string): Promise<void> {
    for (;;) {
      const [row] = await this.#query<{ moved: number }>(
        `WITH part AS (
           SELECT subject_hash FROM feedback.export_staging WHERE export_id = $1 ORDER BY subject_hash LIMIT $4
         ), gone AS (
           DELETE FROM feedback.export_staging AS staged USING part
             WHERE staged.export_id = $1 AND staged.subject_hash = part.subject_hash
         ), added AS (
           INSERT INTO feedback.export_subject (subject_hash, digest, data_set, version)
             SELECT subject_hash, decode($2, 'hex'), $3, 0 FROM part ON CONFLICT (subject_hash, digest) DO NOTHING
         )
         SELECT count(*) AS moved FROM part`,
        [exportId, digest, dataSet, movedAtOnce],
      );
      if (row!.moved < movedAtOnce) return;
    }
  }

  async discard(exportId: string): Promise<void> {
    await this.#query(
      `DELETE FROM feedback.export_staging WHERE export_id = $1 OR begun_at < now() - make_interval(days => $2)`,
      [exportId, abandonedDays],
    );
  }

  #query<R>(sql: string, parameters: unknown[]): Promise<R[]> {
    this.#available();
    return statement<R>(this.#dataSource, sql, parameters);
  }
}
