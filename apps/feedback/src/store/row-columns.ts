import type { PoolClient } from 'pg';
import { copy } from './connection.ts';

/** A column of rows that are stored together: its type, and its value of a row. */
export type Column<R> = readonly [name: string, type: string, read: (row: R) => string | number | Buffer | null];

/** Rows of one table, on the two ways into it. */
export class RowColumns<R> {
  readonly #columns: readonly Column<R>[];
  /** Values of these columns may have characters that COPY takes for its own. */
  readonly #isFree: readonly boolean[];
  readonly #copySql: string;
  readonly #insertSql: string;

  /** @param key its columns @param id what an insert says of the rows that were not there */
  constructor(table: string, columns: readonly Column<R>[], key: string, id: string) {
    const names = columns.map(([name]) => name).join(', ');
    const arrays = columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ');
    this.#columns = columns;
    this.#isFree = columns.map(([, type]) => type === 'text');
    this.#copySql = `COPY feedback.${table} (${names}) FROM STDIN`;
    // In the order of the key, so that two batches with the same rows wait for each other and not in a circle.
    this.#insertSql = `INSERT INTO feedback.${table} (${names}) SELECT ${names}
      FROM unnest(${arrays}) WITH ORDINALITY AS given (${names}, place) ORDER BY ${key}, place ON CONFLICT DO NOTHING RETURNING ${id} AS id`;
  }

  /** The fast way: fails with `unique_violation` when one of them is there. */
  async copy(client: PoolClient, rows: readonly R[]): Promise<void> {
    let text = '';
    for (const row of rows) {
      for (let index = 0; index < this.#columns.length; index++) {
        const value = this.#columns[index]![2](row);
        if (index > 0) text += '\t';
        text += typeof value === 'string' && !this.#isFree[index] ? value : copyText(value);
      }
      text += '\n';
    }
    await copy(client, this.#copySql, Buffer.from(text));
  }

  /** The other one: leaves out what is there, and returns the ids of the rest. */
  async insert(client: PoolClient, rows: readonly R[]): Promise<string[]> {
    const values = this.#columns.map(([, , read]) => rows.map(read));
    return (await client.query<{ id: string }>(this.#insertSql, values)).rows.map(({ id }) => id);
  }
}

const special = /[\\\n\r\t]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A value as the text format of COPY has it. */
export function copyText(value: string | number | Buffer | null): string {
  if (value === null) return '\\N';
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return `\\\\x${value.toString('hex')}`;
  return special.test(value) ? value.replace(/[\\\n\r\t]/g, (character) => escapes[character]!) : value;
}
