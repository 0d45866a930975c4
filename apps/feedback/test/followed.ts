import type { Site } from './harness.ts';

const dayMs = 86_400_000;

/** The statement that puts `count` more rows like the first one there is into the table, with ids of their own. */
export async function copiesOf(site: Site, count: number, own: Readonly<Record<string, string>> = {}): Promise<string> {
  const columns = await site.query<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'feedback' AND table_name = 'evidence'
       AND column_name NOT IN ('prediction_id', 'recorded_xid', 'ingested_at')`,
  );
  const names = columns.map(({ name }) => name);
  const values = names.map((name) => own[name] ?? name);
  return `INSERT INTO feedback.evidence (prediction_id, ${names.join()})
    SELECT ${own['prediction_id'] ?? 'uuidv7()'}, ${values.join()} FROM (SELECT * FROM feedback.evidence LIMIT 1) AS one, generate_series(1, ${count})`;
}

/** A statement that adds a label to the newest row of evidence, with a source of its own. */
export const labelOfNewest = (source: string, labelId: string): string =>
  `INSERT INTO feedback.label (class, prediction_id, label_id, row, name, model, source, actor, request_id, digest)
     SELECT class, prediction_id, '${labelId}', 0, 'seven', model, '${source}', 'ann', '', substr(sha256('${source}'), 1, 16)
     FROM feedback.evidence ORDER BY recorded_xid DESC LIMIT 1`;

/** A statement that adds an outcome for the newest row of evidence. */
export const outcomeOfNewest = (labelId: string): string =>
  `INSERT INTO feedback.outcome (class, prediction_id, label_id, received_at, label_recorded_at, version, keep_probability,
       truth_name, predicted_name, truth_probability, row, attempt, state, arm, role, model, release_id, source)
     SELECT class, prediction_id, '${labelId}', received_at, now(), version, keep_probability, 'seven', 'one', 0.25, 0, attempt,
       'scored', arm, role, model, release_id, 'people' FROM feedback.evidence ORDER BY recorded_xid DESC LIMIT 1`;

/** Names of all rows of evidence, in the order of subscribers. */
export async function evidenceInOrder(site: Site): Promise<string[]> {
  const key = 'class, prediction_id, arm, attempt';
  const rows = await site.query<{ name: string }>(
    `SELECT prediction_id || ' ' || arm || ' ' || attempt AS name FROM (
       SELECT recorded_xid, 0 AS place, ${key} FROM feedback.evidence
       UNION ALL SELECT recorded_xid, 1, ${key} FROM feedback.evidence_skewed
     ) AS every ORDER BY recorded_xid, place, ${key}`,
  );
  return rows.map(({ name }) => name);
}

/** Days from now, as milliseconds since the epoch. */
export const inDays = (days: number): number => Date.now() + days * dayMs;
