import { createHash, randomUUID } from 'node:crypto';
import type { Given } from './evidence.ts';
import { blockOf, idAt } from './evidence.ts';
import type { Replica, Site } from './harness.ts';
import { deliver } from './harness.ts';

/** A label of a test: what is known of it, and the time when it was recorded. */
export interface GivenLabel {
  readonly predictionId: string;
  readonly row?: number;
  readonly name?: string;
  readonly number?: number;
  readonly source?: string;
  readonly recordedAt?: Date;
  readonly labelledAt?: Date;
  readonly labelId?: string;
}

/** What an answer said of a row. */
export interface GivenOutcome {
  readonly state?: 'scored' | 'not-captured' | 'erased' | 'not-decodable';
  readonly predictedName?: string;
  readonly predictedNumber?: number;
  readonly truthProbability?: number;
}

/**
 * Labels of predictions of class standard, each with an outcome for every answer of its prediction, as the tables have them.
 */
export async function insertTruth(site: Site, given: readonly (GivenLabel & GivenOutcome)[]): Promise<string[]> {
  const rows = given.map((each) => ({
    ...{ row: 0, source: 'people', labelId: randomUUID(), recordedAt: new Date(), state: 'scored', ...each },
  }));
  const json = JSON.stringify(rows.map((each) => ({ ...each, digest: digestOf(JSON.stringify(each)) })));
  const fields = `"labelId" uuid, "predictionId" uuid, row int, name text, number float8, source text, "recordedAt" timestamptz,
    "labelledAt" timestamptz, digest text, state text, "predictedName" text, "predictedNumber" float8, "truthProbability" float8`;
  // One statement: the joiner of a replica would make outcomes of its own of labels that have none yet.
  await site.query(
    `WITH given AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($1::jsonb) AS given (${fields})),
       labels AS (
         INSERT INTO feedback.label (class, prediction_id, label_id, labelled_at, recorded_at, number, row, name, model, source, actor, request_id, digest)
         SELECT 'standard', "predictionId", "labelId", "labelledAt", "recordedAt", number, row, name, 'digits', source, 'tester', '', decode(digest, 'hex')
         FROM given)
     INSERT INTO feedback.outcome (class, prediction_id, label_id, received_at, labelled_at, label_recorded_at, version, keep_probability,
       truth_number, predicted_number, truth_probability, row, attempt, state, arm, role, model, release_id, source, truth_name, predicted_name)
     SELECT e.class, e.prediction_id, "labelId", e.received_at, "labelledAt", "recordedAt", e.version, e.keep_probability,
       number, "predictedNumber", "truthProbability", given.row, e.attempt, state, e.arm, e.role, e.model, e.release_id, source, name, "predictedName"
     FROM given JOIN feedback.evidence AS e ON e.prediction_id = "predictionId" AND e.class = 'standard' AND e.status = 0`,
    [json],
  );
  return rows.map(({ labelId }) => labelId);
}

const digestOf = (text: string): string => createHash('md5').update(text).digest('hex');

/** A record with one answered row, and its truth where there is one. */
export type Judged = Omit<GivenLabel & GivenOutcome, 'predictionId'> & {
  readonly own?: Given;
  readonly version?: number;
};

/** Stores records, in blocks that hold them. */
export async function storeRecords({ address }: Replica, records: readonly Given[]): Promise<void> {
  const blocks = [];
  for (let at = 0; at < records.length; at += 200) blocks.push(blockOf(...records.slice(at, at + 200)));
  await deliver(address, blocks);
}

/** Stores records of a model and their truth, and says their ids. */
export async function storeJudged(
  site: Site,
  replica: Replica,
  model: string,
  given: readonly Judged[],
): Promise<string[]> {
  const records = given.map(({ own, version = 1 }) => {
    const receivedMs = own?.receivedMs ?? Date.now() - 60_000;
    const context = { model, version, ...own?.context };
    return { predictionId: idAt(receivedMs), rows: 1, ...own, receivedMs, context };
  });
  await storeRecords(replica, records);
  await insertTruth(
    site,
    given.flatMap((each, index) =>
      each.name === undefined && each.number === undefined
        ? []
        : [{ ...each, predictionId: records[index]!.predictionId }],
    ),
  );
  return records.map(({ predictionId }) => predictionId);
}
