import { unavailable } from '@sluice/domain/errors';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { History } from '../follow/cursor.ts';
import { followedTables } from '../follow/position.ts';
import type { FollowedTable, Position } from '../follow/position.ts';
import type { FollowSource, Look, PlacedRow, TablePage, TableRequest } from '../follow/source.ts';
import { mostRows } from '../follow/source.ts';
import { restored, timelineSql } from './cluster.ts';
import { withClient } from './connection.ts';
import { followedColumns } from './followed-columns.ts';

const mostScanned = 10_000;
const mostBytes = 1024 ** 2;

const named = (name: string, text: string) => ({ name: `follow-${name}`, text });

/** Where the database stands: one row. */
const lookSql = `
  SELECT c.history::text, c.system_identifier AS known, s.system_identifier::text AS system,
    ${timelineSql} AS timeline,
    pg_snapshot_xmin(now.is)::text AS frontier, pg_snapshot_xmax(now.is)::text AS next,
    coalesce((SELECT max(sequence) FROM feedback.dropped), 0) AS losses,
    coalesce((SELECT last_xid FROM feedback.dropped ORDER BY last_xid DESC LIMIT 1), '0')::text AS lost
  FROM feedback.cluster AS c, pg_control_system() AS s, (SELECT pg_current_snapshot() AS is) AS now`;

interface LookRow {
  readonly history: string;
  readonly known: string;
  readonly system: string;
  /** Null of a standby. */
  readonly timeline: number | null;
  readonly frontier: string;
  readonly next: string;
  readonly losses: number;
  readonly lost: string;
}

/** Of each table the newest transaction that has rows, with a bound or without. */
const newestSql = (upTo: '' | 'AND recorded_xid < $1::xid8'): string =>
  followedTables
    .map(
      (table, index) => `SELECT ${index} AS table, (SELECT recorded_xid FROM feedback.${table}
        WHERE recorded_xid > $${index + (upTo === '' ? 1 : 2)}::xid8 ${upTo} ORDER BY recorded_xid DESC LIMIT 1)::text AS newest`,
    )
    .join(' UNION ALL ');
const newest = named('newest', newestSql(''));
const settled = named('settled', newestSql('AND recorded_xid < $1::xid8'));

interface NewestRow {
  readonly table: number;
  readonly newest: string | null;
}

/** A look, and what the next one needs to see whether anything can have changed. */
interface Known {
  readonly look: Look;
  /** Of the next transaction that writes. */
  readonly next: bigint;
  /** Since when the frontier has not moved. */
  readonly sinceMs: number;
  readonly client: PoolClient;
}

const nothing: readonly bigint[] = followedTables.map(() => 0n);

/** The tables of `feedback` as they are followed, in the order of the transactions that filled them. */
export class FollowStore implements FollowSource {
  readonly #dataSource: DataSource;
  readonly #monotonic: () => number;
  readonly #scanned: number;
  readonly #ready = new WeakSet<PoolClient>();
  #known: Known | undefined;

  /**
   * @param monotonic milliseconds
   * @param scanned rows that one statement looks at while it searches for those of a model
   */
  constructor(dataSource: DataSource, monotonic: () => number, scanned = mostScanned) {
    this.#dataSource = dataSource;
    this.#monotonic = monotonic;
    this.#scanned = scanned;
  }

  async look(): Promise<Look> {
    return this.#on(async (client) => {
      const row = (await client.query<LookRow>(named('look', lookSql))).rows[0]!;
      if (row.timeline === null) throw unavailable('the database can only be read');
      if (row.known !== row.system) throw restored(row);
      const history = { id: row.history, system: row.system, timeline: row.timeline };
      const [frontier, next] = [BigInt(row.frontier), BigInt(row.next)];
      const before = this.#known && continues(this.#known.look, history, frontier) ? this.#known : undefined;
      const sinceMs = before?.look.frontier === frontier ? before.sinceMs : this.#monotonic();
      const { newest, waiting } =
        before && isStill(before, next, client)
          ? { newest: before.look.newest, waiting: false }
          : await newestOf(client, frontier, before?.look.newest ?? nothing);
      const heldBackMs = waiting ? await this.#ageOf(client, frontier, sinceMs) : 0;
      const look = { history, frontier, newest, heldBackMs, losses: row.losses, lost: BigInt(row.lost) };
      this.#known = { look, next, sinceMs, client };
      return look;
    });
  }

  async read(request: TableRequest): Promise<TablePage> {
    const table = followedTables[request.table]!;
    const limit = request.model === '' ? mostRows : this.#scanned;
    const { text, parameters } = pageSql(table, request, limit);
    const rows = await this.#on(
      async (client) => (await client.query<Record<string, unknown>>({ ...text, values: parameters })).rows,
    );
    return pageOf(table, request.table, rows);
  }

  async lossSince(losses: number, transaction: bigint): Promise<number | undefined> {
    const text = `SELECT max(sequence) AS sequence FROM feedback.dropped WHERE sequence > $1 AND last_xid >= $2::xid8`;
    const values = [losses, String(transaction)];
    const [row] = await this.#on(
      async (client) => (await client.query<{ sequence: number | null }>({ ...named('losses', text), values })).rows,
    );
    return row!.sequence ?? undefined;
  }

  /** The age of the transaction that is the frontier; where it may not be seen, how long it has been the frontier here. */
  async #ageOf(client: PoolClient, frontier: bigint, sinceMs: number): Promise<number> {
    const text = 'SELECT feedback.transaction_age($1::xid8) AS seconds';
    const values = [String(frontier)];
    const [row] = (await client.query<{ seconds: number | null }>({ ...named('age', text), values })).rows;
    return Math.max((row!.seconds ?? 0) * 1_000, this.#monotonic() - sinceMs);
  }

  /** To plan a statement over the partitions of years takes far longer than to run it: each connection does so once. */
  #on<T>(fn: (client: PoolClient) => Promise<T>): Promise<T> {
    return withClient(this.#dataSource, async (client) => {
      if (!this.#ready.has(client)) await client.query('SET plan_cache_mode = force_generic_plan; SET jit = off');
      this.#ready.add(client);
      return fn(client);
    });
  }
}

/** Nobody has begun to write since then, when nobody was writing; over one connection, since a crash may give out numbers again. */
const isStill = (before: Known, next: bigint, client: PoolClient): boolean =>
  before.client === client && before.next === next && before.look.frontier === next;

/** False where the database was put back to an earlier state since, or is another one. */
const continues = (since: Look, history: History, frontier: bigint): boolean =>
  since.history.id === history.id && since.newest.every((each) => each < frontier);

async function newestOf(
  client: PoolClient,
  frontier: bigint,
  before: readonly bigint[],
): Promise<{ newest: readonly bigint[]; waiting: boolean }> {
  const values = before.map(String);
  const visible = later(before, (await client.query<NewestRow>({ ...newest, values })).rows);
  if (visible.every((each) => each < frontier)) return { newest: visible, waiting: false };
  // Some wait for a transaction that is under way: what is there without them is seldom asked for.
  const { rows } = await client.query<NewestRow>({ ...settled, values: [String(frontier), ...values] });
  return { newest: later(before, rows), waiting: true };
}

function later(before: readonly bigint[], rows: readonly NewestRow[]): bigint[] {
  const newest = [...before];
  for (const row of rows) if (row.newest !== null) newest[row.table] = BigInt(row.newest);
  return newest;
}

interface PageRow {
  readonly recorded_xid: string;
  readonly fits: boolean;
  readonly too_many: boolean;
  readonly full_page: boolean;
}

/** One statement for each table and kind of position: where a row is behind is written so that the index on `recorded_xid` finds it. */
function pageSql(name: FollowedTable, { table, after, upTo, model }: TableRequest, limit: number) {
  const { key, values } = followedColumns[name];
  const columns = Object.entries(values).map(([as, expression]) => `${expression} AS "${as}"`);
  const keys = key.map(({ text }, index) => `${text} AS key_${index}`);
  const order = `recorded_xid, ${key.map(({ column }) => column).join(', ')}`;
  const parameters: unknown[] = [String(after.transaction), String(upTo), model, limit];
  let behind = `recorded_xid >= $1::xid8`;
  if (table < after.table) behind = `recorded_xid > $1::xid8`;
  if (table === after.table) {
    const of = key.map(({ type }, index) => bound(type, parameters.length + index + 1));
    behind += ` AND (recorded_xid > $1::xid8 OR (${key.map(({ column }) => column).join(', ')}) > (${of.join(', ')}))`;
    parameters.push(...after.key);
  }
  const outer = [...key.map((_, index) => `key_${index}`), ...Object.keys(values).map((as) => `"${as}"`)];
  const text = `
    SELECT recorded_xid::text, ${outer.join(', ')}, fits, too_many, scanned = $4 AS full_page FROM (
      SELECT *, matches AND matched <= ${mostRows} AND size - own < ${mostBytes} AS fits,
        bool_or(matches AND (matched > ${mostRows} OR size - own >= ${mostBytes})) OVER () AS too_many
      FROM (
        SELECT *, row_number() OVER w AS place, count(*) OVER () AS scanned,
          count(*) FILTER (WHERE matches) OVER w AS matched, sum(own) FILTER (WHERE matches) OVER w AS size
        FROM (
          SELECT page.*, ($3 = '' OR model = $3) AS matches, pg_column_size(page.*) AS own
          FROM (
            SELECT recorded_xid, ${[...keys, ...columns].join(', ')}
            FROM feedback.${name} WHERE ${behind} AND recorded_xid <= $2::xid8 ORDER BY ${order} LIMIT $4
          ) AS page
        ) AS sized WINDOW w AS (ROWS UNBOUNDED PRECEDING)
      ) AS counted
    ) AS measured WHERE fits OR place = scanned ORDER BY place`;
  const shape = table === after.table ? 'key' : table < after.table ? 'next' : 'from';
  return { text: named(`${name}-${shape}`, text), parameters };
}

const bound = (type: string, place: number): string =>
  type === 'bytea' ? `decode($${place}, 'hex')` : `$${place}::${type}`;

/** The last row that was looked at comes too where it is not wanted: it says how far that was. */
function pageOf(name: FollowedTable, table: number, found: readonly Record<string, unknown>[]): TablePage {
  const { key, values, rowOf } = followedColumns[name];
  const names = Object.keys(values);
  const rows: PlacedRow[] = [];
  let end: Position | undefined;
  let cut = false;
  for (const row of found) {
    const { recorded_xid: transaction, fits, too_many: tooMany, full_page: fullPage } = row as unknown as PageRow;
    const position = {
      ...{ transaction: BigInt(transaction), table },
      key: key.map((_, index) => row[`key_${index}`] as string),
    };
    cut = tooMany || fullPage;
    if (fits || !tooMany) end = position;
    if (fits) rows.push({ position, row: rowOf(names, row) });
  }
  return { rows, end, cut };
}
