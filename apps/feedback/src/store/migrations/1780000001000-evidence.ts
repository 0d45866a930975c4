import type { Migration } from '@sluice/persistence/migrator';

/** Eight octets first, then four, then what has no width of its own: no gaps for alignment in a row. */
const columns = `
  prediction_id uuid NOT NULL,
  received_at timestamptz NOT NULL,
  ingested_at timestamptz NOT NULL DEFAULT now(),
  recorded_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  version bigint NOT NULL,
  policy_version bigint NOT NULL,
  propensity double precision NOT NULL,
  keep_probability double precision NOT NULL,
  sent_micros bigint NOT NULL,
  ended_micros bigint NOT NULL,
  queue_micros bigint,
  run_micros bigint,
  total_micros bigint,
  batch_rows bigint,
  cost_micros double precision,
  rows bigint NOT NULL,
  payload_key_id uuid,
  attempt smallint NOT NULL,
  status smallint NOT NULL,
  fallback_status smallint NOT NULL,
  answered boolean NOT NULL,
  version_known boolean,
  class text COLLATE "C" NOT NULL,
  arm text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  version_digest text COLLATE "C" NOT NULL,
  release_id text COLLATE "C" NOT NULL,
  seed_id text COLLATE "C" NOT NULL,
  served_arm text COLLATE "C" NOT NULL,
  role text COLLATE "C",
  reason text COLLATE "C" NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  caller text COLLATE "C" NOT NULL,
  trace_id text COLLATE "C" NOT NULL,
  rule text COLLATE "C" NOT NULL,
  runtime text COLLATE "C" NOT NULL,
  unit_hash bytea,
  input_hash bytea,
  request_state text COLLATE "C" NOT NULL,
  response_state text COLLATE "C" NOT NULL,
  request bytea,
  response bytea,
  PRIMARY KEY (class, prediction_id, arm, attempt)`;

const indexes = (table: string): string[] => [
  `CREATE INDEX ${table}_received ON feedback.${table} USING brin (received_at)`,
  // Empty ids are of nobody. A look-up by request id also bounds prediction_id, which leaves the days of its time.
  `CREATE INDEX ${table}_request ON feedback.${table} (model, request_id, received_at) WHERE request_id <> ''`,
  // Empty but for what was stored while the registry was away.
  `CREATE INDEX ${table}_unresolved ON feedback.${table} (model, version) WHERE version_known IS NULL`,
];

/** Evidence: by retention class, and each class by the days of prediction ids; beside it what is of no day that is kept. */
export const evidence: Migration = {
  id: '1780000001000-evidence',
  statements: [
    `CREATE TABLE feedback.evidence (${columns}) PARTITION BY LIST (class)`,
    ...indexes('evidence'),
    ...['short', 'standard', 'long'].map(
      (name) =>
        `CREATE TABLE feedback.evidence_${name} PARTITION OF feedback.evidence
           FOR VALUES IN ('${name}') PARTITION BY RANGE (prediction_id)`,
    ),
    `CREATE TABLE feedback.evidence_skewed (${columns})`,
    ...indexes('evidence_skewed'),
    `CREATE INDEX evidence_skewed_prediction ON feedback.evidence_skewed (prediction_id)`,
    `CREATE INDEX evidence_skewed_ingested ON feedback.evidence_skewed (class, ingested_at)`,
    ...[
      ['version_known', 'the registry has the version; null until it could be asked'],
      ['recorded_xid', 'of the transaction that stored the row: what readers that follow the table order by'],
      ['payload_key_id', 'the key that request and response are encrypted under; null where they are not'],
      ['received_at', 'as the router had it; the day of a row is that of its prediction_id'],
    ].map(([column, comment]) => `COMMENT ON COLUMN feedback.evidence.${column} IS '${comment}'`),
    `COMMENT ON TABLE feedback.evidence_skewed IS
       'records whose prediction_id is of no day that is kept, nor of today or tomorrow, or is no UUID of version 7'`,
    `GRANT SELECT, INSERT, UPDATE (version_known) ON feedback.evidence TO sluice_feedback`,
    `GRANT SELECT, INSERT, UPDATE (version_known), DELETE ON feedback.evidence_skewed TO sluice_feedback`,
  ],
};
