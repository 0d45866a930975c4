import type { Transactions } from '@sluice/persistence/transaction';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import type { ArtifactUse } from '../usecases/create-version.ts';

/**
 * When artifacts were last used, so that those that no version refers to go after a grace period. Collecting holds the
 * artifact's row while it deletes the bytes, and using it writes that row: one of the two comes first.
 */
export class ArtifactUseStore implements ArtifactUse {
  readonly #transactions: Transactions;
  readonly #artifacts: ArtifactStore;

  constructor(transactions: Transactions, artifacts: ArtifactStore) {
    this.#transactions = transactions;
    this.#artifacts = artifacts;
  }

  /** Begins the grace period of these artifacts anew. */
  async noteUse(files: readonly { readonly sha256: string; readonly size: number }[]): Promise<void> {
    const unique = [...new Map(files.map((file) => [file.sha256, file.size]))].sort();
    await this.#transactions.readWrite(async (tx) => {
      for (const [sha256, size] of unique) {
        await tx.query(
          `insert into registry.artifact (sha256, size) values ($1, $2)
           on conflict (sha256) do update set last_used_at = clock_timestamp()`,
          [sha256, size],
        );
      }
    });
  }

  /** Deletes artifacts that no version refers to and nobody used for `graceMs`; says how many. */
  async collect(graceMs: number): Promise<number> {
    // Artifacts whose upload was cut off between bytes and row are known from here on.
    for await (const page of pages(this.#artifacts.list(), 500)) {
      await this.#transactions.readWrite((tx) =>
        tx.query(
          `insert into registry.artifact (sha256, size, created_at, last_used_at)
           select a.sha256, a.size, to_timestamp(a.stored_ms / 1000.0), to_timestamp(a.stored_ms / 1000.0)
           from jsonb_to_recordset($1::jsonb) as a (sha256 text, size bigint, stored_ms double precision)
           on conflict (sha256) do nothing`,
          [JSON.stringify(page.map(({ sha256, size, storedAt }) => ({ sha256, size, stored_ms: storedAt })))],
        ),
      );
    }
    const candidates = await this.#transactions.readOnly((tx) =>
      tx.query<{ sha256: string }>(`select a.sha256 from registry.artifact a where ${unused} limit 1000`, [graceMs]),
    );
    let collected = 0;
    for (const { sha256 } of candidates) if (await this.#collect(sha256, graceMs)) collected += 1;
    return collected;
  }

  async #collect(sha256: string, graceMs: number): Promise<boolean> {
    return this.#transactions.readWrite(async (tx) => {
      const gone = await tx.execute(`delete from registry.artifact a where a.sha256 = $2 and ${unused}`, [
        graceMs,
        sha256,
      ]);
      if (gone === 0) return false;
      await this.#artifacts.delete(sha256);
      return true;
    });
  }
}

async function* pages<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[], void, void> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

const unused = `a.last_used_at < clock_timestamp() - $1 * interval '1 millisecond'
  and not exists (
    select from registry.version_file f
    join registry.version v on v.model = f.model and v.number = f.number and v.state <> 'deleted'
    where f.sha256 = a.sha256
  )`;
