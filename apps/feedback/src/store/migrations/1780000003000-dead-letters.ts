import type { Migration } from '@sluice/persistence/migrator';

/** What could not be stored. The digest of its bytes is its key: however often it is sent, it is one dead letter. */
export const deadLetters: Migration = {
  id: '1780000003000-dead-letters',
  statements: [
    `CREATE TABLE feedback.dead_letter (
       id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
       kind text NOT NULL CHECK (kind IN ('block', 'record')),
       reason text COLLATE "C" NOT NULL,
       detail text NOT NULL,
       spool_id text NOT NULL,
       router_id text NOT NULL,
       position bigint NOT NULL,
       prediction_id uuid,
       model text,
       bytes bytea NOT NULL,
       attempts bigint NOT NULL DEFAULT 1,
       first_at timestamptz NOT NULL DEFAULT now(),
       last_at timestamptz NOT NULL DEFAULT now()
     )`,
    `COMMENT ON COLUMN feedback.dead_letter.bytes IS
       'a block of evidence: the one that came, or one with the record alone; its SHA-256 is the digest'`,
    `CREATE INDEX dead_letter_reason ON feedback.dead_letter (reason, id)`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON feedback.dead_letter TO sluice_feedback`,
  ],
};
