import type { Migration } from '@sluice/persistence/migrator';

const feedbackColumns = `
  class text COLLATE "C" NOT NULL,
  prediction_id uuid NOT NULL,
  feedback_id uuid NOT NULL,
  given_at timestamptz,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  recorded_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  number double precision,
  payload_key_id uuid,
  row integer NOT NULL CHECK (row >= -1),
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('rating', 'correction', 'reward', 'text', 'json')),
  name text COLLATE "C",
  model text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  actor text COLLATE "C" NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  payload_state text COLLATE "C" NOT NULL CHECK (payload_state IN ('none', 'kept', 'erased')),
  digest bytea NOT NULL CHECK (octet_length(digest) = 16),
  payload bytea,
  PRIMARY KEY (class, prediction_id, kind, source, row, digest)`;

const waitingColumns = `
  waiting_id bigint GENERATED ALWAYS AS IDENTITY,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  labelled_at timestamptz,
  recorded_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  prediction_id uuid,
  row integer NOT NULL CHECK (row >= -1),
  per_row boolean NOT NULL,
  kind text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'unmatched', 'refused')),
  model text COLLATE "C" NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  actor text COLLATE "C" NOT NULL,
  cause text COLLATE "C" NOT NULL DEFAULT '',
  reason text NOT NULL DEFAULT '',
  names text[] NOT NULL,
  numbers double precision[] NOT NULL,
  key bytea NOT NULL PRIMARY KEY CHECK (octet_length(key) = 16),
  payload bytea`;

/** What was said of predictions, what waits for its prediction, and how far the joiner has got. */
export const labelJoining: Migration = {
  id: '1780000007000-label-joining',
  statements: [
    // Of a partitioned table: days that are there get it too, and those that are made later.
    `CREATE INDEX IF NOT EXISTS evidence_recorded ON feedback.evidence (recorded_xid)`,
    `CREATE TABLE feedback.feedback_item (${feedbackColumns}) PARTITION BY LIST (class)`,
    ...['short', 'standard', 'long'].map(
      (name) =>
        `CREATE TABLE feedback.feedback_item_${name} PARTITION OF feedback.feedback_item
           FOR VALUES IN ('${name}') PARTITION BY RANGE (prediction_id)`,
    ),
    `CREATE INDEX feedback_item_recorded ON feedback.feedback_item (recorded_xid)`,
    `INSERT INTO feedback.day_family VALUES ('feedback_item')`,
    `SELECT feedback.make_day(substring(child.relname FROM '^evidence_([a-z]+)_'), to_date(right(child.relname, 8), 'YYYYMMDD'))
       FROM pg_inherits AS link JOIN pg_class AS child ON child.oid = link.inhrelid
       WHERE link.inhparent IN (SELECT to_regclass('feedback.evidence_' || c) FROM unnest(ARRAY['short', 'standard', 'long']) AS c)`,
    `CREATE TABLE feedback.label_waiting (${waitingColumns})`,
    `CREATE INDEX label_waiting_prediction ON feedback.label_waiting (prediction_id)
       WHERE state = 'waiting' AND prediction_id IS NOT NULL`,
    `CREATE INDEX label_waiting_request ON feedback.label_waiting (model, request_id)
       WHERE state = 'waiting' AND prediction_id IS NULL`,
    `CREATE INDEX label_waiting_expires ON feedback.label_waiting (expires_at) WHERE state = 'waiting'`,
    `CREATE INDEX label_waiting_ended ON feedback.label_waiting (ended_at) WHERE state <> 'waiting'`,
    `CREATE INDEX label_waiting_listed ON feedback.label_waiting (waiting_id) WHERE state <> 'waiting'`,
    `CREATE TABLE feedback.join_position (
       singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
       evidence_xid xid8 NOT NULL,
       system_identifier bigint NOT NULL DEFAULT 0
     )`,
    `INSERT INTO feedback.join_position (evidence_xid) VALUES ('0')`,
    ...[
      ['feedback_item.row', 'the row that it is about; -1: the prediction as a whole'],
      ['feedback_item.payload', 'text or JSON, in UTF-8 before it was encrypted for the subject of the prediction'],
      [
        'feedback_item.digest',
        'of content and given_at: the same item sent again is the same row; of an erased text, without it',
      ],
      ['label_waiting.key', 'of all that the item says: sent again it is the same row'],
      [
        'label_waiting.payload',
        'text or JSON as it came: whose it is is known when the prediction comes; gone when it ends',
      ],
      ['join_position.evidence_xid', 'labels of all evidence of transactions before this one are joined'],
      ['join_position.system_identifier', 'of the cluster whose transactions these are'],
    ].map(([column, comment]) => `COMMENT ON COLUMN feedback.${column} IS '${comment}'`),
    `COMMENT ON TABLE feedback.label_waiting IS
       'labels and feedback whose prediction is not there yet, and (for a while) those that were given up'`,
    `GRANT SELECT, INSERT ON feedback.feedback_item TO sluice_feedback`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON feedback.label_waiting TO sluice_feedback`,
    `GRANT SELECT, UPDATE ON feedback.join_position TO sluice_feedback`,
  ],
};
