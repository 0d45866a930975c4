import type { PoolClient } from 'pg';
import type { Clock } from '@sluice/domain/clock';
import { failedPrecondition } from '@sluice/domain/errors';
import { fromDatabase, sqlstateOf } from '@sluice/persistence/sqlstate';
import type { DataSource } from 'typeorm';
import { deadRecord } from '../evidence/dead-record.ts';
import { dayOf, idTime } from '../evidence/days.ts';
import type { DeadLetter, EvidenceItem } from '../evidence/item.ts';
import type { Batch, EvidenceStore, VersionFlag, Written } from '../ingest/batch.ts';
import { canary } from '../evidence/canary.ts';
import { copy, onConnection } from './connection.ts';
import { copiedColumns, CopyRows } from './copy-rows.ts';
import type { KeyRing } from '../payloads/key-ring.ts';
import { Pace } from '../pace.ts';
import type { ClassDay, DayStore } from './day-store.ts';
import { insertDeadLetter } from './dead-letter-store.ts';
import type { SealedBatch } from './seal-batch.ts';
import { sealBatch } from './seal-batch.ts';

const columns = copiedColumns.join(', ');
const key = ['class', 'prediction_id', 'arm', 'attempt'];
const keyColumns = key.join(', ');
const sameKey = (one: string, other: string): string =>
  key.map((name) => `${one}.${name} = ${other}.${name}`).join(' AND ');

type Path = 'straight' | 'staged';
const mostAttempts = 5;

/** Serialization failure, deadlock: two replicas have the same rows in another order. In order of their keys they have not. */
const inAnotherOrder: ReadonlySet<string> = new Set(['40001', '40P01']);

/** Writes batches of evidence, each in one transaction: all that it returns is committed. Safe beside any number of others. */
export class EvidenceWriter implements EvidenceStore {
  readonly #dataSource: DataSource;
  readonly #days: DayStore;
  readonly #ring: KeyRing;
  readonly #clock: Clock;

  constructor(dataSource: DataSource, days: DayStore, ring: KeyRing, clock: Clock) {
    this.#dataSource = dataSource;
    this.#days = days;
    this.#ring = ring;
    this.#clock = clock;
  }

  /**
   * Errors: `unavailable` when nobody knows what was stored, or nothing was; `failed-precondition` when the tables take no record at
   * all, since they are of another software. The same batch may then be written again.
   */
  async write(batch: Batch, isKnown: VersionFlag): Promise<Written> {
    try {
      await this.#days.ensure(daysOf(batch.rows));
      return await this.#attempt(batch, isKnown, 'straight', 1);
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  async #attempt(batch: Batch, isKnown: VersionFlag, path: Path, attempt: number, isPart = false): Promise<Written> {
    try {
      return await onConnection(this.#dataSource, (client) =>
        store(client, this.#ring, batch, isKnown, { path, pace: new Pace(this.#clock) }),
      );
    } catch (error) {
      const code = sqlstateOf(error);
      if (code === undefined || attempt >= mostAttempts) throw error;
      if (code === '23505' && path === 'straight') return this.#attempt(batch, isKnown, 'staged', attempt + 1, isPart);
      if (inAnotherOrder.has(code)) return this.#attempt(batch, isKnown, 'staged', attempt + 1, isPart);
      if (isMissingDay(code, error)) {
        this.#days.forget();
        await this.#days.ensure(daysOf(batch.rows));
        return this.#attempt(batch, isKnown, path, attempt + 1, isPart);
      }
      if (!isOfTheData(code)) throw error;
      if (!isPart) await this.#tryCanary(batch, code);
      return this.#split(batch, isKnown, code);
    }
  }

  /**
   * Tables that refuse what nothing is wrong with are of another software, ahead of this one or behind: no record is to become a
   * dead letter for that. Stores nothing.
   */
  async #tryCanary({ rows, skewed }: Batch, code: string): Promise<void> {
    const record = canary(this.#clock.now());
    const item = { record, origin: { spoolId: '', routerId: '', position: 0 }, block: new Uint8Array(), index: 0 };
    await this.#days.ensure(daysOf([item]));
    const tables = [rows.length > 0 ? 'evidence' : [], skewed.length > 0 ? 'evidence_skewed' : []].flat();
    try {
      await onConnection(this.#dataSource, async (client) => {
        const sealed = await sealBatch(client, this.#ring, { rows: [item], skewed: [], dead: [] });
        const encoded = await encode([item], () => true, sealed, new Pace(this.#clock));
        for (const table of tables)
          await copy(client, `COPY feedback.${table} (${columns}) FROM STDIN (FORMAT binary)`, encoded);
        await client.query('ROLLBACK AND CHAIN');
      });
    } catch (error) {
      if (!isOfTheData(sqlstateOf(error) ?? '')) throw error;
      throw failedPrecondition(
        `the tables of evidence refuse every record, also one that is known to be good (SQLSTATE ${code}): they are of another version of the software; run its migrate, or upgrade this feedback. Evidence stays in the spools of its routers`,
      );
    }
  }

  /** Halves what Postgres refuses, until what it refuses is one record. */
  async #split(batch: Batch, isKnown: VersionFlag, code: string): Promise<Written> {
    const { rows, skewed, dead } = batch;
    if (rows.length + skewed.length === 0) throw new Error(`Postgres refused a dead letter: SQLSTATE ${code}`);
    if (rows.length + skewed.length === 1) {
      const letter = deadRecord((rows[0] ?? skewed[0])!, 'refused', `Postgres refused it with SQLSTATE ${code}`);
      return this.#attempt({ rows: [], skewed: [], dead: [...dead, letter] }, isKnown, 'straight', 1, true);
    }
    const [first, second] = halves(batch);
    const one = await this.#attempt(first, isKnown, 'straight', 1, true);
    const other = await this.#attempt(second, isKnown, 'straight', 1, true);
    return {
      path: 'split',
      stored: one.stored + other.stored,
      skewed: one.skewed + other.skewed,
      duplicates: one.duplicates + other.duplicates,
      dead: [...one.dead, ...other.dead],
    };
  }
}

function halves({ rows, skewed, dead }: Batch): [Batch, Batch] {
  if (skewed.length > 0 && rows.length > 0)
    return [
      { rows, skewed: [], dead },
      { rows: [], skewed, dead: [] },
    ];
  const [row, skew] = [Math.ceil(rows.length / 2), Math.ceil(skewed.length / 2)];
  return [
    { rows: rows.slice(0, row), skewed: skewed.slice(0, skew), dead },
    { rows: rows.slice(row), skewed: skewed.slice(skew), dead: [] },
  ];
}

async function store(
  client: PoolClient,
  ring: KeyRing,
  batch: Batch,
  isKnown: VersionFlag,
  { path, pace }: { readonly path: Path; readonly pace: Pace },
): Promise<Written> {
  const { rows, skewed, dead } = batch;
  const sealed = await sealBatch(client, ring, batch);
  // What was out of time when it came first, and is not any more, is there already.
  const isStaged = rows.length > 0 && (path === 'staged' || (await overlapsSkewed(client, rows)));
  const encoded = await encode(rows, isKnown, sealed, pace);
  let stored = 0;
  if (rows.length > 0)
    stored = isStaged
      ? await staged(client, encoded, 'evidence', 'evidence_skewed')
      : await copy(client, `COPY feedback.evidence (${columns}) FROM STDIN (FORMAT binary)`, encoded);
  const skewedStored =
    skewed.length === 0
      ? 0
      : await staged(client, await encode(skewed, isKnown, sealed, pace), 'evidence_skewed', 'evidence');
  for (const letter of inOrder(dead)) await insertDeadLetter(client, letter, sealed.letter(letter));
  return {
    path: isStaged ? 'staged' : 'straight',
    ...{ stored, skewed: skewedStored, dead },
    duplicates: rows.length + skewed.length - stored - skewedStored,
  };
}

async function encode(
  items: readonly EvidenceItem[],
  isKnown: VersionFlag,
  sealed: SealedBatch,
  pace: Pace,
): Promise<Uint8Array> {
  const rows = new CopyRows(isKnown, items.length);
  for (const { record } of items) {
    const row = sealed.row(record);
    rows.add(record, row?.payloads, row?.keyId);
    if (pace.isOver()) await pace.giveWay();
  }
  return rows.finish();
}

/** Keys are taken in the same order by everybody, so that replicas wait for each other and never in a circle. */
const inOrder = (dead: readonly DeadLetter[]): DeadLetter[] =>
  dead.length < 2 ? [...dead] : dead.toSorted((one, other) => Buffer.compare(one.bytes, other.bytes));

async function overlapsSkewed(client: PoolClient, rows: readonly EvidenceItem[]): Promise<boolean> {
  let [least, most] = [rows[0]!.record.predictionId, rows[0]!.record.predictionId];
  for (const { record } of rows) {
    if (record.predictionId < least) least = record.predictionId;
    if (record.predictionId > most) most = record.predictionId;
  }
  const { rows: found } = await client.query<{ overlaps: boolean }>(
    'SELECT EXISTS (SELECT FROM feedback.evidence_skewed WHERE prediction_id BETWEEN $1 AND $2) AS overlaps',
    [least, most],
  );
  return found[0]!.overlaps;
}

/** Copies into a table that is gone at COMMIT, and takes from it what neither `target` nor `other` has. */
async function staged(client: PoolClient, bytes: Uint8Array, target: string, other: string): Promise<number> {
  const stage = `pg_temp.staged_${target}`;
  await client.query(
    `CREATE TEMPORARY TABLE staged_${target} ON COMMIT DROP AS SELECT ${columns} FROM feedback.evidence_skewed WITH NO DATA`,
  );
  await copy(client, `COPY ${stage} (${columns}) FROM STDIN (FORMAT binary)`, bytes);
  const { rowCount } = await client.query(
    `INSERT INTO feedback.${target} (${columns}) SELECT ${columns} FROM ${stage} AS come
       WHERE NOT EXISTS (SELECT FROM feedback.${other} AS there WHERE ${sameKey('there', 'come')})
       ORDER BY ${keyColumns} ON CONFLICT DO NOTHING`,
  );
  return rowCount ?? 0;
}

function daysOf(rows: readonly EvidenceItem[]): ClassDay[] {
  const days = new Map<string, ClassDay>();
  let last = '';
  for (const { record } of rows) {
    // Ten hex digits of the time are a quarter of a second, of which a day has a whole number.
    const mark = record.context.retentionClass + record.predictionId.slice(0, 11);
    if (mark === last) continue;
    last = mark;
    const { retentionClass } = record.context;
    const day = { retentionClass, day: dayOf(idTime(record.predictionId)!) } as ClassDay;
    days.set(`${retentionClass} ${day.day}`, day);
  }
  return [...days.values()];
}

/** Postgres says so with the code of a constraint that fails, but names none. */
export function isMissingDay(code: string, error: unknown): boolean {
  return code === '23514' && (error as { readonly constraint?: string }).constraint === undefined;
}

/** Data that does not fit, a constraint that fails, a limit of the program: what another try does not change. */
function isOfTheData(code: string): boolean {
  return ['22', '23', '54'].includes(code.slice(0, 2));
}
