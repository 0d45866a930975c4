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

/** What is given of one prediction at most; of more, the answer says that it is cut. */
export interface PredictionBounds {
  readonly attempts: number;
  /** And as many outcomes. */
  readonly labels: number;
  readonly feedback: number;
}

/** More than any prediction has: arms are 16 at most, and attempts few. Each item of feedback may have a text of 16 KiB. */
const usualBounds: PredictionBounds = { attempts: 1_000, labels: 10_000, feedback: 1_000 };

const micros = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint`;

/** Each finds one more than its bound where there are more. */
function statementsOf(most: PredictionBounds) {
  /** Those that answer first, shadows last. */
  const order = `ORDER BY (role IS NOT DISTINCT FROM 'shadow'), answered DESC, arm, attempt, class LIMIT ${most.attempts + 1}`;

  /** Attempts by id: one look-up in the day of each class. */
  const attempts: Prepared = {
    name: 'attempts-by-id',
    text: `SELECT ${attemptColumns}, false AS skewed FROM feedback.evidence WHERE ${classes} AND prediction_id = $1 ${order}`,
  };

  /** The same, and those out of time, which next to no prediction has: what has all columns twice takes twice as long to plan. */
  const allAttempts: Prepared = {
    name: 'all-attempts-by-id',
    text: `SELECT * FROM (
    SELECT ${attemptColumns}, false AS skewed FROM feedback.evidence WHERE ${classes} AND prediction_id = $1
    UNION ALL
    SELECT ${attemptColumns}, true AS skewed FROM feedback.evidence_skewed WHERE prediction_id = $1
  ) AS found ${order}`,
  };

  const labels: Prepared = {
    name: 'labels-by-id',
    text: `
  SELECT label_id, row, name, number, source, actor, ${micros('labelled_at')} AS labelled_micros,
    ${micros('recorded_at')} AS recorded_micros
  FROM feedback.label WHERE ${classes} AND prediction_id = $1 ORDER BY row LIMIT ${most.labels + 1}`,
  };

  const outcomes: Prepared = {
    name: 'outcomes-by-id',
    text: `
  SELECT label_id, arm, attempt, row, version, state, truth_name, truth_number, predicted_name, predicted_number,
    truth_probability, source
  FROM feedback.outcome WHERE ${classes} AND prediction_id = $1
  ORDER BY row, (role IS NOT DISTINCT FROM 'shadow'), arm, attempt, label_id LIMIT ${most.labels + 1}`,
  };

  const feedback: Prepared = {
    name: 'feedback-by-id',
    text: `
  SELECT feedback_id, row, kind, number, name, source, actor, ${micros('given_at')} AS given_micros,
    ${micros('recorded_at')} AS recorded_micros, payload_state, payload_key_id
  FROM feedback.feedback_item WHERE ${classes} AND prediction_id = $1
  ORDER BY recorded_at, feedback_id LIMIT ${most.feedback + 1}`,
  };

  const texts: Prepared = {
    name: 'texts-by-id',
    text: `
  SELECT feedback_id, payload FROM feedback.feedback_item
  WHERE ${classes} AND prediction_id = $1 AND payload IS NOT NULL ORDER BY recorded_at, feedback_id LIMIT ${most.feedback}`,
  };
  return { attempts, allAttempts, labels, outcomes, feedback, texts };
}

/** As replicas ask them. */
const usual = statementsOf(usualBounds);
export const attemptsById: Prepared = usual.attempts;

/** Whether there is anything of the other tables. */
const elsewhere: Prepared = {
  name: 'elsewhere-by-id',
  text: `SELECT EXISTS (SELECT FROM feedback.label WHERE ${classes} AND prediction_id = $1) AS labels,
    EXISTS (SELECT FROM feedback.feedback_item WHERE ${classes} AND prediction_id = $1) AS feedback,
    EXISTS (SELECT FROM feedback.evidence_skewed WHERE prediction_id = $1) AS skewed`,
};

/** Every statement of a prediction's id that is prepared once and asked many times, as replicas ask them. */
export const statementsById: readonly Prepared[] = [...Object.values(usual), elsewhere];

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
  readonly #most: PredictionBounds;
  readonly #statements: ReturnType<typeof statementsOf>;

  /** @param available throws `unavailable` while the database is known to be away */
  constructor(dataSource: DataSource, available: () => void, most = usualBounds) {
    this.#dataSource = dataSource;
    this.#available = available;
    this.#most = most;
    this.#statements = most === usualBounds ? usual : statementsOf(most);
  }

  async find(predictionId: string): Promise<StoredPrediction> {
    this.#available();
    // One after the other: at the same time they would compete for the cores of the database, and each would take longer.
    const { attempts, labels, outcomes, feedback } = await withClient(this.#dataSource, async (client) => {
      const of = <R extends QueryResultRow>(prepared: Prepared): Promise<R[]> =>
        byId<R>(client, prepared, predictionId);
      const { allAttempts, ...ask } = this.#statements;
      const [other] = await of<Elsewhere>(elsewhere);
      return {
        attempts: await of<AttemptRow>(other!.skewed ? allAttempts : ask.attempts),
        labels: other!.labels ? await of<LabelRow>(ask.labels) : [],
        outcomes: other!.labels ? await of<OutcomeRow>(ask.outcomes) : [],
        feedback: other!.feedback ? await of<FeedbackRow>(ask.feedback) : [],
      };
    });
    const most = this.#most;
    const isErased = await this.#erased([...attempts, ...feedback]);
    return {
      attempts: attempts.slice(0, most.attempts).map((row) => toAttempt(isErased(row) ? withoutPayloads(row) : row)),
      labels: labels.slice(0, most.labels).map(toLabel),
      outcomes: outcomes.slice(0, most.labels).map(toOutcome),
      feedback: feedback
        .slice(0, most.feedback)
        .map((row) => toFeedback(isErased(row) ? { ...row, payload_state: 'erased' } : row)),
      cut:
        Math.max(attempts.length / most.attempts, feedback.length / most.feedback) > 1 ||
        Math.max(labels.length, outcomes.length) > most.labels,
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
    const rows = await withClient(this.#dataSource, (client) =>
      byId<TextRow>(client, this.#statements.texts, predictionId),
    );
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
