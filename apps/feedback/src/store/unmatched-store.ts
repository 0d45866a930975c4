import type { ErrorKind } from '@sluice/domain/errors';
import type { DataSource } from 'typeorm';
import type { UnmatchedItem, UnmatchedItems } from '../labels/ports.ts';
import { statement } from './connection.ts';
import type { StoredWaiting } from './waiting-rows.ts';
import { boundedSql, itemOf, waitingColumns } from './waiting-rows.ts';

type UnmatchedRow = StoredWaiting & {
  readonly state: string;
  readonly cause: string;
  readonly reason: string;
  /** Rows that the page could have had. */
  readonly scanned: number;
  readonly came: Date;
  readonly ended_at: Date;
};

/** Items that were given up, in Postgres. */
export class UnmatchedStore implements UnmatchedItems {
  readonly #dataSource: DataSource;
  readonly #available: () => void;

  /** @param available throws `unavailable` while the database is known to be away */
  constructor(dataSource: DataSource, available: () => void) {
    this.#dataSource = dataSource;
    this.#available = available;
  }

  async list(after: number, limit: number) {
    this.#available();
    const found = await statement<UnmatchedRow>(
      this.#dataSource,
      boundedSql(
        `SELECT * FROM feedback.label_waiting WHERE state <> 'waiting' AND waiting_id > $1 ORDER BY waiting_id LIMIT $2`,
        `${waitingColumns}, state, cause, reason, recorded_at AS came, ended_at`,
      ),
      [after, limit + 1],
    );
    const rows = found.slice(0, limit);
    const items = rows.map((row): UnmatchedItem => ({
      ...{ id: row.waiting_id, item: itemOf(row), kind: row.kind },
      ...{ recordedMs: row.came.getTime(), endedMs: row.ended_at.getTime() },
      refusal: { kind: row.cause as ErrorKind, reason: row.reason },
    }));
    return { items, more: rows.length > 0 && rows[0]!.scanned > rows.length };
  }
}
