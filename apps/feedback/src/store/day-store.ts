import type { RetentionClass } from '@sluice/domain/release';
import type { DataSource } from 'typeorm';
import { statement } from './connection.ts';

/** A day of a class: a partition. */
export interface ClassDay {
  readonly retentionClass: RetentionClass;
  /** `YYYY-MM-DD`. */
  readonly day: string;
}

export interface Locks {
  readonly taken: number;
  readonly room: number;
}

const keyOf = ({ retentionClass, day }: ClassDay): string => `${retentionClass} ${day}`;

/** The days that evidence, and what is said of it, has partitions for. Any number of replicas may make and drop them at once. */
export class DayStore {
  readonly #dataSource: DataSource;
  /** Days that were there when this process looked. */
  readonly #there = new Set<string>();

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** Makes those that are missing, each in a transaction of its own that nobody else's writes wait for. Returns those that it made. */
  async ensure(days: Iterable<ClassDay>): Promise<ClassDay[]> {
    const made: ClassDay[] = [];
    for (const day of days) {
      if (this.#there.has(keyOf(day))) continue;
      const [row] = await statement<{ made: boolean }>(
        this.#dataSource,
        'SELECT feedback.make_day($1, $2::date) AS made',
        [day.retentionClass, day.day],
      );
      if (row!.made) made.push(day);
      this.#there.add(keyOf(day));
    }
    return made;
  }

  /** To be called when a day was not there after all: another replica dropped it. */
  forget(): void {
    this.#there.clear();
  }

  /**
   * Drops the oldest day of a class that ended more than `days` days ago, by the database's clock; undefined when there is none, or
   * another replica is making or dropping one.
   */
  async dropExpired(retentionClass: RetentionClass, days: number): Promise<string | undefined> {
    const [row] = await statement<{ dropped: string | null }>(
      this.#dataSource,
      `SELECT feedback.drop_day_before($1, (now() AT TIME ZONE 'UTC' - make_interval(days => $2))::date) AS dropped`,
      [retentionClass, days],
    );
    if (row!.dropped === null) return undefined;
    this.forget();
    return row!.dropped;
  }

  /**
   * How many locks one statement over all days of all tables takes while it is planned, as those of the joiner and of Subscribe are once on
   * each connection, and how many the database has room for. Where that is short such statements fail.
   */
  async locks(): Promise<Locks> {
    const [row] = await statement<Locks>(
      this.#dataSource,
      `SELECT count(*)::int AS taken,
         current_setting('max_locks_per_transaction')::int
           * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) AS room
       FROM pg_class WHERE relnamespace = 'feedback'::regnamespace AND relispartition AND relkind IN ('r', 'i')`,
    );
    return row!;
  }

  /** Days that there are, as the names of their partitions of `evidence`, by class and day. */
  async list(): Promise<string[]> {
    const rows = await statement<{ name: string }>(
      this.#dataSource,
      `SELECT child.relname AS name FROM pg_inherits AS link
         JOIN pg_class AS child ON child.oid = link.inhrelid
         JOIN pg_class AS parent ON parent.oid = link.inhparent
         WHERE parent.relnamespace = 'feedback'::regnamespace AND parent.relkind = 'p' AND child.relkind = 'r'
           AND starts_with(parent.relname, 'evidence_')
         ORDER BY child.relname`,
    );
    return rows.map(({ name }) => name);
  }
}
