import type { Migration } from '@sluice/persistence/migrator';

/** Orders to erase a subject, the spools that must have followed them, and what this service has to say to the audit log. */
export const erasures: Migration = {
  id: '1780000011000-erasures',
  statements: [
    `CREATE TABLE feedback.erasure (
       number bigint PRIMARY KEY CHECK (number > 0),
       erasure_id uuid NOT NULL UNIQUE,
       ordered_at timestamptz NOT NULL,
       document_at timestamptz,
       spools_done_at timestamptz,
       done_at timestamptz,
       subject_hash bytea NOT NULL CHECK (octet_length(subject_hash) = 32),
       request_id text COLLATE "C" NOT NULL,
       actor text COLLATE "C" NOT NULL,
       reason text NOT NULL,
       key_ids uuid[] NOT NULL
     )`,
    `CREATE UNIQUE INDEX erasure_request ON feedback.erasure (request_id) WHERE request_id <> ''`,
    `CREATE INDEX erasure_subject ON feedback.erasure (subject_hash, ordered_at DESC)`,
    `CREATE INDEX erasure_pending ON feedback.erasure (number) WHERE done_at IS NULL`,
    ...[
      ['number', 'one after the other without gaps: what routers acknowledge, and what the documents are named by'],
      ['document_at', 'when it lay in the artifact store; before that nobody is told of it'],
      ['spools_done_at', 'when no spool had anything from before it any more'],
      ['key_ids', 'keys that it destroyed'],
    ].map(([column, comment]) => `COMMENT ON COLUMN feedback.erasure.${column} IS '${comment}'`),
    `GRANT SELECT, INSERT, UPDATE (document_at, spools_done_at, done_at) ON feedback.erasure TO sluice_feedback`,
    `CREATE TABLE feedback.spool (
       spool_id text COLLATE "C" PRIMARY KEY,
       router_id text NOT NULL,
       first_seen_at timestamptz NOT NULL DEFAULT now(),
       last_seen_at timestamptz NOT NULL DEFAULT now(),
       forgotten_at timestamptz,
       acknowledged bigint NOT NULL DEFAULT 0,
       erasures_applied bigint NOT NULL DEFAULT 0
     )`,
    `COMMENT ON COLUMN feedback.spool.erasures_applied IS
       'number of the last order from before which nothing is in the spool any more, as its router said'`,
    `CREATE INDEX spool_applied ON feedback.spool (erasures_applied) WHERE forgotten_at IS NULL`,
    `GRANT SELECT, INSERT, UPDATE ON feedback.spool TO sluice_feedback`,
    // Texts that wait for their prediction: nobody knows yet whose they are.
    `DO $$ BEGIN
       IF to_regclass('feedback.label_waiting') IS NOT NULL THEN
         CREATE INDEX label_waiting_payload ON feedback.label_waiting (recorded_at) WHERE payload IS NOT NULL;
       END IF;
     END $$`,
    `CREATE TABLE feedback.export_subject (
       subject_hash bytea NOT NULL CHECK (octet_length(subject_hash) = 32),
       digest bytea NOT NULL CHECK (octet_length(digest) = 32),
       data_set text COLLATE "C" NOT NULL,
       version bigint NOT NULL,
       exported_at timestamptz NOT NULL DEFAULT now(),
       PRIMARY KEY (subject_hash, digest)
     )`,
    `COMMENT ON TABLE feedback.export_subject IS 'which exports have payloads of which subjects: the digest is that of the manifest'`,
    `GRANT SELECT, INSERT, DELETE ON feedback.export_subject TO sluice_feedback`,
    `CREATE TABLE feedback.audit_outbox (
       id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       recorded_at timestamptz NOT NULL DEFAULT now(),
       sequence bigint UNIQUE,
       leaf_index bigint,
       actor text COLLATE "C" NOT NULL,
       action text COLLATE "C" NOT NULL,
       object text COLLATE "C" NOT NULL,
       details jsonb NOT NULL DEFAULT '{}'
     )`,
    `CREATE INDEX audit_outbox_waiting ON feedback.audit_outbox (id) WHERE leaf_index IS NULL`,
    `COMMENT ON COLUMN feedback.audit_outbox.sequence IS
       'given when it is sent: without gaps, which the identity has after a rollback'`,
    `COMMENT ON COLUMN feedback.audit_outbox.leaf_index IS 'where the audit log has it; null while it waits'`,
    `GRANT SELECT, INSERT, UPDATE (sequence, leaf_index), DELETE ON feedback.audit_outbox TO sluice_feedback`,
  ],
};
