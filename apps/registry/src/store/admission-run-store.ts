import type { AdmissionRuns } from '../usecases/admission-jobs.ts';
import type { VersionRecord } from '../usecases/records.ts';
import type { Sql } from './sql.ts';
import { selectVersion } from './version-store.ts';

/** Which replica runs which admission, by the database's clock. */
export class AdmissionRunStore implements AdmissionRuns {
  readonly #sql: Sql;
  readonly #holder: string;

  constructor(sql: Sql, holder: string) {
    this.#sql = sql;
    this.#holder = holder;
  }

  async renew(model: string, number: number): Promise<void> {
    await this.#sql.query(
      `update registry.admission_run set renewed_at = clock_timestamp()
       where model = $1 and number = $2 and holder = $3`,
      [model, number, this.#holder],
    );
  }

  async takeStale(staleMs: number): Promise<readonly { version: VersionRecord; attempts: number }[]> {
    const rows = await this.#sql.query<{ model: string; number: number; attempts: number }>(
      `with taken as (
         update registry.admission_run set holder = $1, attempts = attempts + 1, renewed_at = clock_timestamp()
         where renewed_at < clock_timestamp() - $2 * interval '1 millisecond'
         returning model, number, attempts
       )
       select model, number, attempts from taken`,
      [this.#holder, staleMs],
    );
    const stale = [];
    for (const { model, number, attempts } of rows) {
      const version = await selectVersion(this.#sql, model, number);
      if (version?.state === 'admitting') stale.push({ version, attempts });
    }
    return stale;
  }

  async release(model: string, number: number): Promise<void> {
    await this.#sql.query(
      `update registry.admission_run set renewed_at = '-infinity', attempts = attempts - 1
       where model = $1 and number = $2 and holder = $3`,
      [model, number, this.#holder],
    );
  }
}
