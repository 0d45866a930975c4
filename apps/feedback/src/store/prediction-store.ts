import type { PoolClient, QueryResultRow } from 'pg';
import type { DataSource } from 'typeorm';
import type {
  AttemptKey,
  OutcomeState,
  PredictionReader,
  StoredFeedback,
  StoredLabel,
  StoredOutcome,
  StoredPayloads,
  StoredPrediction,
} from '../predictions/prediction.ts';
import type { AttemptRow } from './attempt-rows.ts';
import { attemptColumns, toAttempt } from './attempt-rows.ts';
import type { Prepared } from './connection.ts';
import { statement, withClient } from './connection.ts';

/** Named, so that of each class the days without the id are left out before anything is looked at. */
const classes = `class IN ('short', 'standard', 'long')`;

/** More than any prediction has: arms are 16 at most, and attempts few. */
const mostAttempts = 1_000;
const mostLabels = 10_000;
/** Each may have a text of 16 KiB. */
const mostFeedback = 1_000;

/** Those that answer first, shadows last. */
const order = `ORDER BY (role IS NOT DISTINCT FROM 'shadow'), answered DESC, arm, attempt, class LIMIT ${mostAttempts + 1}`;

/** Attempts by id: one look-up in the day of each class. */
export const attemptsById: Prepared = {
  name: 'attempts-by-id',
  text: `SELECT ${attemptColumns}, false AS skewed FROM feedback.evidence WHERE ${classes} AND prediction_id = $1 ${order}`,
};

/** The same, and those out of time, which next to no prediction has: what has all columns twice takes twice as long to plan. */
const allAttemptsById: Prepared = {
  name: 'all-attempts-by-id',
  text: `SELECT * FROM (
    SELECT ${attemptColumns}, false AS skewed FROM feedback.evidence WHERE ${classes} AND prediction_id = $1
    UNION ALL
    SELECT ${attemptColumns}, true AS skewed FROM feedback.evidence_skewed WHERE prediction_id = $1
  ) AS found ${order}`,
};

const micros = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint`;

const labelsById: Prepared = {
  name: 'labels-by-id',
  text: `
  SELECT label_id, row, name, number, source, actor, ${micros('labelled_at')} AS labelled_micros,
    ${micros('recorded_at')} AS recorded_micros
  FROM feedback.label WHERE ${classes} AND prediction_id = $1 ORDER BY row LIMIT ${mostLabels + 1}`,
};

const outcomesById: Prepared = {
  name: 'outcomes-by-id',
  text: `
  SELECT label_id, arm, attempt, row, version, state, truth_name, truth_number, predicted_name, predicted_number,
    truth_probability, source
  FROM feedback.outcome WHERE ${classes} AND prediction_id = $1
  ORDER BY row, (role IS NOT DISTINCT FROM 'shadow'), arm, attempt, label_id LIMIT ${mostLabels + 1}`,
};

const feedbackById: Prepared = {
  name: 'feedback-by-id',
  text: `
  SELECT feedback_id, row, kind, number, name, source, actor, ${micros('given_at')} AS given_micros,
    ${micros('recorded_at')} AS recorded_micros, payload_state, payload_key_id
  FROM feedback.feedback_item WHERE ${classes} AND prediction_id = $1
  ORDER BY recorded_at, feedback_id LIMIT ${mostFeedback + 1}`,
};

/** Whether there is anything of the other tables. */
const elsewhere: Prepared = {
  name: 'elsewhere-by-id',
  text: `SELECT EXISTS (SELECT FROM feedback.label WHERE ${classes} AND prediction_id = $1) AS labels,
    EXISTS (SELECT FROM feedback.feedback_item WHERE ${classes} AND prediction_id = $1) AS feedback,
    EXISTS (SELECT FROM feedback.evidence_skewed WHERE prediction_id = $1) AS skewed`,
};

const textsById: Prepared = {
  name: 'texts-by-id',
  text: `
  SELECT feedback_id, payload FROM feedback.feedback_item
  WHERE ${classes} AND prediction_id = $1 AND payload IS NOT NULL ORDER BY recorded_at, feedback_id LIMIT ${mostFeedback}`,
};

/** Every statement of a prediction's id that is prepared once and asked many times. */
export const statementsById: readonly Prepared[] = [
  ...[attemptsById, allAttemptsById, elsewhere, labelsById, outcomesById, feedbackById, textsById],
];

interface LabelRow {
  readonly label_id: string;
  readonly row: number;
  readonly name: string | null;
  readonly number: number | null;
  readonly source: string;
  readonly actor: string;
  readonly labelled_micros: number | null;
  readonly recorded_micros: number;
}

interface OutcomeRow {
  readonly label_id: string;
  readonly arm: string;
  readonly attempt: number;
  readonly row: number;
  readonly version: number;
  readonly state: OutcomeState;
  readonly truth_name: string | null;
  readonly truth_number: number | null;
  readonly predicted_name: string | null;
  readonly predicted_number: number | null;
  readonly truth_probability: number | null;
  readonly source: string;
}

interface FeedbackRow {
  readonly feedback_id: string;
  readonly row: number;
  readonly kind: StoredFeedback['kind'];
  readonly number: number | null;
  readonly name: string | null;
  readonly source: string;
  readonly actor: string;
  readonly given_micros: number | null;
  readonly recorded_micros: number;
  readonly payload_state: StoredFeedback['textState'];
  readonly payload_key_id: string | null;
}

/** Predictions by id, in Postgres. */
export class PredictionStore implements PredictionReader {
  readonly #dataSource: DataSource;
  readonly #available: () => void;

  /** @param available throws `unavailable` while the database is known to be away */
  constructor(dataSource: DataSource, available: () => void) {
    this.#dataSource = dataSource;
    this.#available = available;
  }

  async find(predictionId: string): Promise<StoredPrediction> {
    this.#available();
    // One after the other: at the same time they would compete for the cores of the database, and each would take longer.
    const { attempts, labels, outcomes, feedback } = await withClient(this.#dataSource, async (client) => {
      const of = <R extends QueryResultRow>(prepared: Prepared): Promise<R[]> =>
        byId<R>(client, prepared, predictionId);
      const [other] = await of<Elsewhere>(elsewhere);
      return {
        attempts: await of<AttemptRow>(other!.skewed ? allAttemptsById : attemptsById),
        labels: other!.labels ? await of<LabelRow>(labelsById) : [],
        outcomes: other!.labels ? await of<OutcomeRow>(outcomesById) : [],
        feedback: other!.feedback ? await of<FeedbackRow>(feedbackById) : [],
      };
    });
    const isErased = await this.#erased([...attempts, ...feedback]);
    return {
      attempts: attempts.slice(0, mostAttempts).map((row) => toAttempt(isErased(row) ? withoutPayloads(row) : row)),
      labels: labels.slice(0, mostLabels).map(toLabel),
      outcomes: outcomes.slice(0, mostLabels).map(toOutcome),
      feedback: feedback
        .slice(0, mostFeedback)
        .map((row) => toFeedback(isErased(row) ? { ...row, payload_state: 'erased' } : row)),
      cut:
        Math.max(attempts.length / mostAttempts, feedback.length / mostFeedback) > 1 ||
        Math.max(labels.length, outcomes.length) > mostLabels,
    };
  }

  /** Tells rows whose key is destroyed: they were stored with payloads, and these are not there any more. */
  async #erased(rows: readonly Keyed[]): Promise<(row: Keyed) => boolean> {
    const keys = new Set(rows.flatMap(({ payload_key_id: keyId }) => keyId ?? []));
    if (keys.size === 0) return () => false;
    const alive = await statement<{ key_id: string }>(
      this.#dataSource,
      'SELECT key_id FROM feedback.subject_key WHERE key_id = ANY ($1::uuid[]) AND wrapped IS NOT NULL',
      [[...keys]],
    );
    for (const { key_id } of alive) keys.delete(key_id);
    return ({ payload_key_id: keyId }) => keyId !== null && keys.has(keyId);
  }

  async texts(predictionId: string): Promise<ReadonlyMap<string, Uint8Array>> {
    this.#available();
    const rows = await withClient(this.#dataSource, (client) => byId<TextRow>(client, textsById, predictionId));
    return new Map(rows.map((row) => [row.feedback_id, row.payload]));
  }

  async payloads(keys: readonly AttemptKey[]): Promise<StoredPayloads[]> {
    this.#available();
    const [first] = keys;
    if (!first) return [];
    const sql = (table: string) => `
      SELECT class, prediction_id, arm, attempt, request, response FROM feedback.${table}
      WHERE ${classes} AND prediction_id = $1
        AND (class, arm, attempt) IN (SELECT * FROM unnest($2::text[], $3::text[], $4::smallint[]))`;
    const rows = await statement<Pick<AttemptRow, 'class' | 'prediction_id' | 'arm' | 'attempt'> & Payloads>(
      this.#dataSource,
      `${sql('evidence')} UNION ALL ${sql('evidence_skewed')}`,
      [
        first.predictionId,
        keys.map(({ retentionClass }) => retentionClass),
        ...[keys.map(({ arm }) => arm), keys.map(({ attempt }) => attempt)],
      ],
    );
    return rows.map((row) => ({
      ...{ retentionClass: row.class, predictionId: row.prediction_id, arm: row.arm, attempt: row.attempt },
      ...{ request: row.request ?? undefined, response: row.response ?? undefined },
    }));
  }
}

async function byId<R extends QueryResultRow>(client: PoolClient, prepared: Prepared, id: string): Promise<R[]> {
  return (await client.query<R>({ ...prepared, values: [id] })).rows;
}

interface Elsewhere {
  readonly labels: boolean;
  readonly feedback: boolean;
  readonly skewed: boolean;
}

interface TextRow {
  readonly feedback_id: string;
  readonly payload: Buffer;
}

interface Keyed {
  readonly payload_key_id: string | null;
}

const erased = (state: AttemptRow['request_state']) => (state === 'captured' ? 'erased' : state);

const withoutPayloads = (row: AttemptRow): AttemptRow => ({
  ...{ ...row, request_state: erased(row.request_state), response_state: erased(row.response_state) },
});

const toFeedback = (row: FeedbackRow): StoredFeedback => ({
  ...{ feedbackId: row.feedback_id, row: row.row < 0 ? undefined : row.row, kind: row.kind },
  ...{ number: row.number ?? undefined, name: row.name ?? undefined, source: row.source, actor: row.actor },
  givenMs: row.given_micros === null ? undefined : row.given_micros / 1000,
  recordedMs: row.recorded_micros / 1000,
  ...{ textState: row.payload_state, payloadKeyId: row.payload_key_id ?? undefined },
});

interface Payloads {
  readonly request: Buffer | null;
  readonly response: Buffer | null;
}

const toLabel = (row: LabelRow): StoredLabel => ({
  ...{ labelId: row.label_id, row: row.row, source: row.source, actor: row.actor },
  ...{ name: row.name ?? undefined, number: row.number ?? undefined },
  labelledMs: row.labelled_micros === null ? undefined : row.labelled_micros / 1000,
  recordedMs: row.recorded_micros / 1000,
});

const toOutcome = (row: OutcomeRow): StoredOutcome => ({
  ...{ labelId: row.label_id, arm: row.arm, attempt: row.attempt, row: row.row, version: row.version },
  ...{ state: row.state, source: row.source, truthProbability: row.truth_probability ?? undefined },
  truth: { name: row.truth_name ?? undefined, number: row.truth_number ?? undefined },
  predicted: { name: row.predicted_name ?? undefined, number: row.predicted_number ?? undefined },
});
