import type { Migration } from '@sluice/persistence/migrator';

/** What a label says, wherever it lies. */
const labelColumns = `
  label_id uuid NOT NULL,
  labelled_at timestamptz,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  recorded_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  number double precision,
  row integer NOT NULL CHECK (row >= 0),
  name text COLLATE "C",
  model text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  actor text COLLATE "C" NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  digest bytea NOT NULL CHECK (octet_length(digest) = 16),
  CHECK ((number IS NULL) <> (name IS NULL))`;

const outcomeColumns = `
  class text COLLATE "C" NOT NULL,
  prediction_id uuid NOT NULL,
  label_id uuid NOT NULL,
  received_at timestamptz NOT NULL,
  labelled_at timestamptz,
  label_recorded_at timestamptz NOT NULL,
  recorded_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  version bigint NOT NULL,
  keep_probability double precision NOT NULL,
  truth_number double precision,
  predicted_number double precision,
  truth_probability double precision,
  row integer NOT NULL,
  attempt smallint NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('scored', 'not-captured', 'erased', 'not-decodable')),
  arm text COLLATE "C" NOT NULL,
  role text COLLATE "C",
  model text COLLATE "C" NOT NULL,
  release_id text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  truth_name text COLLATE "C",
  predicted_name text COLLATE "C",
  PRIMARY KEY (class, prediction_id, arm, attempt, label_id)`;

const classes = ['short', 'standard', 'long'] as const;

/** By class, then by the days of prediction ids, as evidence is: what belongs to a record goes when it goes. */
const byClassAndDay = (table: string, columns: string): string[] => [
  `CREATE TABLE feedback.${table} (${columns}) PARTITION BY LIST (class)`,
  ...classes.map(
    (name) =>
      `CREATE TABLE feedback.${table}_${name} PARTITION OF feedback.${table}
         FOR VALUES IN ('${name}') PARTITION BY RANGE (prediction_id)`,
  ),
];

/** The truth of rows of predictions, and what it says of each answer. */
export const labels: Migration = {
  id: '1780000004000-labels',
  statements: [
    ...byClassAndDay(
      'label',
      `class text COLLATE "C" NOT NULL, prediction_id uuid NOT NULL, ${labelColumns},
       PRIMARY KEY (class, prediction_id, row, source, digest)`,
    ),
    ...byClassAndDay('outcome', outcomeColumns),
    `CREATE INDEX label_recorded ON feedback.label (recorded_xid)`,
    `CREATE INDEX outcome_received ON feedback.outcome USING brin (received_at)`,
    ...[
      ['label', 'labelled_at', 'when the truth was found, as the caller said; null where nobody did'],
      ['label', 'recorded_xid', 'of the transaction that joined it: what readers that follow the table order by'],
      [
        'label',
        'name',
        'the true class, of a version whose task is classification; number is the truth of a regression',
      ],
      ['label', 'digest', 'of value and labelled_at: the same item sent again is the same row'],
      ['outcome', 'truth_probability', 'what the answer gave the true class; null where it gives none'],
      ['outcome', 'source', 'of the label'],
    ].map(([table, column, comment]) => `COMMENT ON COLUMN feedback.${table}.${column} IS '${comment}'`),
    `COMMENT ON TABLE feedback.outcome IS 'one label against one row of one answer; append only, as labels are'`,
    `GRANT SELECT, INSERT ON feedback.label, feedback.outcome TO sluice_feedback`,
  ],
};
