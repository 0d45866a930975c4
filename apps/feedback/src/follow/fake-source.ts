import { unavailable } from '@sluice/domain/errors';
import type { FollowedRow } from './row.ts';
import { followedTables, keyLength } from './position.ts';
import type { Position } from './position.ts';
import { mostRows } from './source.ts';
import type { FollowSource, Look, PlacedRow, TablePage, TableRequest } from './source.ts';

const digits = 6;

/** Tables in memory, for tests: rows are added with their transaction, and the frontier is moved by hand. */
export class FakeSource implements FollowSource {
  frontier = 100n;
  history = { id: 'h', system: '1', timeline: 1 };
  /** What `look` throws while it is set. */
  failure: Error | undefined;
  looks = 0;
  readonly reads: TableRequest[] = [];
  /** Done before each read. */
  onRead: () => void = () => undefined;
  #rows: PlacedRow[] = [];
  #losses: bigint[] = [];
  #keys = 0;

  /** Adds rows to a table, and returns their names. */
  add(table: number, transaction: bigint, count = 1, model = 'digits'): string[] {
    return Array.from({ length: count }, () => {
      const name = String(this.#keys++).padStart(digits, '0');
      const row = { kind: 'evidence', predictionId: name, model } as FollowedRow;
      this.#rows.push({ position: { transaction, table, key: [name, ...padding(table)] }, row });
      return name;
    });
  }

  /** Takes rows of a transaction away, as the end of a day does. */
  lose(transaction: bigint): void {
    this.#rows = this.#rows.filter(({ position }) => position.transaction !== transaction);
    this.#losses.push(transaction);
  }

  async look(): Promise<Look> {
    this.looks += 1;
    if (this.failure) throw this.failure;
    const newest = followedTables.map((_, table) => {
      const of = this.#rows.map(({ position }) => position).filter((each) => each.table === table);
      return of.reduce((most, { transaction: t }) => (t < this.frontier && t > most ? t : most), 0n);
    });
    return {
      ...{ history: this.history, frontier: this.frontier, newest, heldBackMs: 0, losses: this.#losses.length },
      lost: this.#losses.reduce((most, each) => (each > most ? each : most), 0n),
    };
  }

  async read(request: TableRequest): Promise<TablePage> {
    this.reads.push(request);
    this.onRead();
    const { table, after, upTo, model } = request;
    const there = this.#rows
      .filter(({ position: { transaction, table: of } }) => of === table && transaction <= upTo)
      .filter(({ position }) => isBehind(position, after))
      .toSorted((one, other) => (isBehind(one.position, other.position) ? 1 : -1));
    const looked = there.slice(0, mostRows);
    const rows = looked.filter(({ row }) => model === '' || row.model === model);
    return { rows, end: looked.at(-1)?.position, cut: looked.length === mostRows };
  }

  async lossSince(losses: number, transaction: bigint): Promise<number | undefined> {
    const last = this.#losses.findLastIndex((lost, index) => index >= losses && lost >= transaction);
    return last === -1 ? undefined : this.#losses.length;
  }
}

function isBehind(one: Position, other: Position): boolean {
  if (one.transaction !== other.transaction) return one.transaction > other.transaction;
  if (one.table !== other.table) return one.table > other.table;
  return (one.key[0] ?? '') > (other.key[0] ?? '');
}

const padding = (table: number): string[] => Array<string>(keyLength[table]! - 1).fill('');

/** The database is away. */
export const away = unavailable('away');
