import type { PoolClient } from 'pg';
import { fromDatabase, sqlstateOf } from '@sluice/persistence/sqlstate';
import type { DataSource } from 'typeorm';
import { deadRecord } from '../evidence/dead-record.ts';
import { dayOf, idTime } from '../evidence/days.ts';
import type { DeadLetter, EvidenceItem } from '../evidence/item.ts';
import type { Batch, EvidenceStore, VersionFlag, Written } from '../ingest/batch.ts';
import { copy, onConnection } from './connection.ts';
import { copiedColumns, CopyRows } from './copy-rows.ts';
import type { ClassDay, DayStore } from './day-store.ts';
import { insertDeadLetter } from './dead-letter-store.ts';

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

  constructor(dataSource: DataSource, days: DayStore) {
    this.#dataSource = dataSource;
    this.#days = days;
  }

  /** Errors: `unavailable` when nobody knows what was stored, or nothing was; the same batch may then be written again. */
  async write(batch: Batch, isKnown: VersionFlag): Promise<Written> {
    try {
      await this.#days.ensure(daysOf(batch.rows));
      return await this.#attempt(batch, isKnown, 'straight', 1);
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  async #attempt(batch: Batch, isKnown: VersionFlag, path: Path, attempt: number): Promise<Written> {
    try {
      return await onConnection(this.#dataSource, (client) => store(client, batch, isKnown, path));
    } catch (error) {
      const code = sqlstateOf(error);
      if (code === undefined || attempt >= mostAttempts) throw error;
      if (code === '23505' && path === 'straight') return this.#attempt(batch, isKnown, 'staged', attempt + 1);
      if (inAnotherOrder.has(code)) return this.#attempt(batch, isKnown, 'staged', attempt + 1);
      if (isMissingDay(code, error)) {
        this.#days.forget();
        await this.#days.ensure(daysOf(batch.rows));
        return this.#attempt(batch, isKnown, path, attempt + 1);
      }
      if (!isOfTheData(code)) throw error;
      return this.#split(batch, isKnown, code);
    }
  }

  /** Halves what Postgres refuses, until what it refuses is one record. */
  async #split(batch: Batch, isKnown: VersionFlag, code: string): Promise<Written> {
    const { rows, skewed, dead } = batch;
    if (rows.length + skewed.length === 0) throw new Error(`Postgres refused a dead letter: SQLSTATE ${code}`);
    if (rows.length + skewed.length === 1) {
      const letter = deadRecord((rows[0] ?? skewed[0])!, 'refused', `Postgres refused it with SQLSTATE ${code}`);
      return this.#attempt({ rows: [], skewed: [], dead: [...dead, letter] }, isKnown, 'straight', 1);
    }
    const [first, second] = halves(batch);
    const one = await this.#attempt(first, isKnown, 'straight', 1);
    const other = await this.#attempt(second, isKnown, 'straight', 1);
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

async function store(client: PoolClient, batch: Batch, isKnown: VersionFlag, path: Path): Promise<Written> {
  const { rows, skewed, dead } = batch;
  // What was out of time when it came first, and is not any more, is there already.
  const isStaged = rows.length > 0 && (path === 'staged' || (await overlapsSkewed(client, rows)));
  const encoded = encode(rows, isKnown);
  let stored = 0;
  if (rows.length > 0)
    stored = isStaged
      ? await staged(client, encoded, 'evidence', 'evidence_skewed')
      : await copy(client, `COPY feedback.evidence (${columns}) FROM STDIN (FORMAT binary)`, encoded);
  const skewedStored =
    skewed.length === 0 ? 0 : await staged(client, encode(skewed, isKnown), 'evidence_skewed', 'evidence');
  for (const letter of inOrder(dead)) await insertDeadLetter(client, letter);
  return {
    path: isStaged ? 'staged' : 'straight',
    ...{ stored, skewed: skewedStored, dead },
    duplicates: rows.length + skewed.length - stored - skewedStored,
  };
}

function encode(items: readonly EvidenceItem[], isKnown: VersionFlag): Uint8Array {
  const rows = new CopyRows(isKnown);
  for (const { record } of items) rows.add(record);
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
