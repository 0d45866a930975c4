import { retentionClasses } from '@sluice/domain/release';
import type { DataSource } from 'typeorm';
import type { ListPlace, PredictionFilter, PredictionLister, PredictionPage } from '../predictions/list-predictions.ts';
import type { TimeRange } from '../predictions/time-range.ts';
import { leastId } from '../predictions/time-range.ts';
import type { SummaryRow } from './attempt-rows.ts';
import { summaryColumns, toSummary } from './attempt-rows.ts';
import { statement } from './connection.ts';
import { Values } from './values.ts';

/** Records that are looked at for one page. */
export const recordsLookedAt = 20_000;

const order = 'prediction_id DESC, arm DESC, attempt DESC';

/** Records in the order of their keys, in Postgres. */
export class PredictionListStore implements PredictionLister {
  readonly #dataSource: DataSource;
  readonly #available: () => void;
  readonly #lookedAt: number;

  /** @param available throws `unavailable` while the database is known to be away */
  constructor(dataSource: DataSource, available: () => void, lookedAt = recordsLookedAt) {
    this.#dataSource = dataSource;
    this.#available = available;
    this.#lookedAt = lookedAt;
  }

  async page(
    filter: PredictionFilter,
    range: TimeRange,
    after: ListPlace | undefined,
    limit: number,
  ): Promise<PredictionPage> {
    this.#available();
    const bound = new Values();
    const window = this.#window(filter, range, after, bound);
    const labelled = labelledSql(range, bound);
    const rows = await statement<SummaryRow & { labelled: boolean }>(
      this.#dataSource,
      `SELECT ${summaryColumns}, skewed, ${labelled} AS labelled FROM (${window}) AS looked
       WHERE ${conditions(filter, labelled, bound)} ORDER BY ${order} LIMIT ${bound.add(limit + 1)}`,
      bound.list,
    );
    const predictions = rows.slice(0, limit).map((row) => ({ ...toSummary(row), labelled: row.labelled }));
    if (rows.length > limit) return { predictions, next: placeOf(rows[limit - 1]!) };
    return { predictions, next: await this.#lastLookedAt(filter, range, after) };
  }

  /** The place of the last record that a page may look at; undefined when there are not so many. */
  async #lastLookedAt(filter: PredictionFilter, range: TimeRange, after: ListPlace | undefined) {
    const bound = new Values();
    const window = this.#window(filter, range, after, bound);
    const [row] = await statement<Pick<SummaryRow, 'prediction_id' | 'arm' | 'attempt'>>(
      this.#dataSource,
      `SELECT prediction_id, arm, attempt FROM (${window}) AS looked ORDER BY ${order}
       OFFSET ${bound.add(this.#lookedAt - 1)} LIMIT 1`,
      bound.list,
    );
    return row && placeOf(row);
  }

  /**
   * The records of a range below a place, up to the bound of a page. Each class and the table of those out of time give theirs in the
   * order of an index, and no more of them than are wanted.
   */
  #window(filter: PredictionFilter, { fromMs, toMs }: TimeRange, after: ListPlace | undefined, bound: Values): string {
    const keys = [`prediction_id >= ${bound.add(leastId(fromMs))}`, `prediction_id < ${bound.add(leastId(toMs))}`];
    if (after) {
      const place = [bound.add(after.predictionId), bound.add(after.arm), bound.add(after.attempt)];
      keys.push(`prediction_id <= ${place[0]}`, `(prediction_id, arm, attempt) < (${place.join(', ')})`);
    }
    // It has an index of its own, and finds few: what it finds is what is looked at.
    if (filter.requestId !== '')
      keys.push(
        `model = ${bound.add(filter.model)} AND request_id = ${bound.add(filter.requestId)} AND request_id <> ''`,
      );
    const most = bound.add(this.#lookedAt);
    const part = (table: string, also: string, skewed: boolean): string =>
      `(SELECT ${summaryColumns}, ${skewed} AS skewed FROM feedback.${table}
        WHERE ${[also, ...keys].join(' AND ')} ORDER BY ${order} LIMIT ${most})`;
    const parts = retentionClasses.map((name) => part('evidence', `class = '${name}'`, false));
    return `SELECT * FROM (${[...parts, part('evidence_skewed', 'true', true)].join(' UNION ALL ')}) AS parts
      ORDER BY ${order} LIMIT ${most}`;
  }
}

/**
 * Whether the prediction of a record has a label: looked up for each that is shown, in the days of the range alone. It lies in the class
 * of the record that was stored first.
 */
const labelledSql = ({ fromMs, toMs }: TimeRange, bound: Values): string => `coalesce((SELECT true FROM feedback.label
  WHERE label.class IN (${retentionClasses.map((name) => `'${name}'`).join(', ')}) AND label.prediction_id = looked.prediction_id
    AND label.prediction_id >= ${bound.add(leastId(fromMs))} AND label.prediction_id < ${bound.add(leastId(toMs))} LIMIT 1), false)`;

function conditions(filter: PredictionFilter, labelled: string, bound: Values): string {
  const { model, versions, arm, status, label, subject } = filter;
  const all = [`model = ${bound.add(model)}`];
  if (versions.length > 0) all.push(`version = ANY (${bound.add(versions)}::bigint[])`);
  if (arm !== undefined) all.push(`arm = ${bound.add(arm)}`);
  if (status !== 'any') all.push(`status ${status === 'ok' ? '=' : '<>'} 0`);
  if (label !== 'any') all.push(`${label === 'labelled' ? '' : 'NOT '}${labelled}`);
  if (subject !== '') all.push(`subject = ${bound.add(subject)}`);
  return all.join(' AND ');
}

const placeOf = (row: Pick<SummaryRow, 'prediction_id' | 'arm' | 'attempt'>): ListPlace => ({
  ...{ predictionId: row.prediction_id, arm: row.arm, attempt: row.attempt },
});
