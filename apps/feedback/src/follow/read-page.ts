import { beforeTransaction, followedTables } from './position.ts';
import type { Position } from './position.ts';
import { mostRows } from './source.ts';
import type { FollowSource, Look, PlacedRow } from './source.ts';

/** What a subscriber wants. */
export interface Filter {
  /** Indexes into `followedTables`, rising. */
  readonly tables: readonly number[];
  /** Empty for all. */
  readonly model: string;
}

export interface Page {
  /** At most `mostRows`. */
  readonly rows: readonly PlacedRow[];
  readonly end: Position;
  /** There may be more below the frontier. */
  readonly more: boolean;
}

/** Whether a look has rows of these tables that may lie behind a position. */
export const reaches = (look: Look, tables: readonly number[], after: Position): boolean =>
  tables.some((table) => look.newest[table]! >= after.transaction);

/**
 * Behind all rows that a look has. Not its frontier: a transaction that stored nothing may leave no trace, and after a crash another one
 * gets its number.
 */
export const endOf = ({ newest }: Look): Position =>
  beforeTransaction(newest.reduce((most, each) => (each > most ? each : most)) + 1n);

/**
 * The rows behind a position, of all tables in one order. Each table is asked for no more than lies before the end of those that
 * were asked before.
 */
export async function readPage(source: FollowSource, look: Look, after: Position, filter: Filter): Promise<Page> {
  let bound = beforeTransaction(look.frontier);
  let more = false;
  const found: PlacedRow[] = [];
  for (const table of filter.tables) {
    if (look.newest[table]! < after.transaction) continue;
    const upTo = table < bound.table ? bound.transaction : bound.transaction - 1n;
    if (upTo < after.transaction) continue;
    const { rows, end, cut } = await source.read({ table, after, upTo, model: filter.model });
    found.push(...rows);
    if (!cut || end === undefined) continue;
    bound = end;
    more = true;
  }
  const rows = found.filter(({ position }) => isWithin(position, bound)).sort(inOrder);
  if (rows.length > mostRows) return { rows: rows.slice(0, mostRows), end: rows[mostRows - 1]!.position, more: true };
  return { rows, end: more ? bound : later(endOf(look), after), more };
}

/** Rows of a table are in its order already, and those of its own end are within it. */
function isWithin(position: Position, bound: Position): boolean {
  if (position.transaction !== bound.transaction) return position.transaction < bound.transaction;
  return position.table <= bound.table;
}

function inOrder({ position: one }: PlacedRow, { position: other }: PlacedRow): number {
  if (one.transaction !== other.transaction) return one.transaction < other.transaction ? -1 : 1;
  return one.table - other.table;
}

const later = (one: Position, other: Position): Position => (one.transaction > other.transaction ? one : other);

/** Tables of kinds of rows: skewed evidence is evidence. */
export function tablesOf(kinds: readonly string[]): number[] {
  const tables = [...followedTables.keys()];
  if (kinds.length === 0) return tables;
  return tables.filter((table) => kinds.includes(followedTables[table]!.replace('_skewed', '')));
}
