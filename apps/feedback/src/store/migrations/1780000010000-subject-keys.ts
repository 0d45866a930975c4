import type { Migration } from '@sluice/persistence/migrator';

const payload = (part: string): string =>
  `${part}_state = CASE WHEN ${part} IS NULL THEN ${part}_state ELSE 'erased' END, ${part} = NULL`;

const evidenceTables = ['feedback.evidence', 'feedback.evidence_skewed'];

/** Keys of subjects, under which payloads are encrypted: what has no key any more is erased. */
export const subjectKeys: Migration = {
  id: '1780000010000-subject-keys',
  statements: [
    `CREATE TABLE feedback.root_key (
       one boolean PRIMARY KEY DEFAULT true CHECK (one),
       kek_id text COLLATE "C" NOT NULL,
       wrapped bytea NOT NULL,
       created_at timestamptz NOT NULL DEFAULT now()
     )`,
    `COMMENT ON TABLE feedback.root_key IS
       'the secret of this database, by which subjects are hashed; wrapped, so that it also tells whether the right key was given'`,
    `CREATE TABLE feedback.subject_key (
       key_id uuid PRIMARY KEY,
       created_at timestamptz NOT NULL DEFAULT now(),
       erased_at timestamptz,
       last_day date NOT NULL,
       subject_hash bytea NOT NULL CHECK (octet_length(subject_hash) = 32),
       kek_id text COLLATE "C",
       wrapped bytea,
       CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL) AND (kek_id IS NULL) = (wrapped IS NULL))
     )`,
    `CREATE UNIQUE INDEX subject_key_live ON feedback.subject_key (subject_hash) WHERE erased_at IS NULL`,
    `CREATE INDEX subject_key_kek ON feedback.subject_key (kek_id) WHERE erased_at IS NULL`,
    `CREATE INDEX subject_key_last_day ON feedback.subject_key (last_day)`,
    ...[
      ['subject_hash', 'keyed hash of the subject, which is nowhere here in plain'],
      ['wrapped', 'the key, encrypted under the key-encryption key kek_id; null once it is destroyed'],
      ['last_day', 'the latest day of a prediction with a payload under this key: with that day the key may go'],
    ].map(([column, comment]) => `COMMENT ON COLUMN feedback.subject_key.${column} IS '${comment}'`),
    // Destroyed keys are overwritten as soon as possible: by VACUUM, which the service may run.
    `GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON feedback.subject_key TO sluice_feedback`,
    `GRANT SELECT, INSERT, UPDATE (kek_id, wrapped) ON feedback.root_key TO sluice_feedback`,
    // What lay in plain could not be erased by anybody's key.
    ...evidenceTables.map(
      (table) =>
        `UPDATE ${table} SET ${payload('request')}, ${payload('response')}
           WHERE subject <> '' AND payload_key_id IS NULL AND (request IS NOT NULL OR response IS NOT NULL)`,
    ),
    `CREATE INDEX evidence_skewed_key ON feedback.evidence_skewed (payload_key_id) WHERE payload_key_id IS NOT NULL`,
    `ALTER TABLE feedback.dead_letter
       ADD COLUMN payload_key_id uuid,
       ADD COLUMN sealed bytea,
       ADD COLUMN size_bytes bigint,
       ADD COLUMN of_anybody boolean NOT NULL DEFAULT true`,
    `UPDATE feedback.dead_letter SET size_bytes = octet_length(bytes)`,
    `ALTER TABLE feedback.dead_letter ALTER COLUMN size_bytes SET NOT NULL, ALTER COLUMN of_anybody SET DEFAULT false`,
    `CREATE INDEX dead_letter_key ON feedback.dead_letter (payload_key_id) WHERE payload_key_id IS NOT NULL`,
    `CREATE INDEX dead_letter_of_anybody ON feedback.dead_letter (first_at) WHERE of_anybody`,
    ...[
      [
        'bytes',
        'a block of evidence with the record alone, without its payloads where these are in sealed; empty for a sealed block',
      ],
      ['sealed', 'the same as it came, encrypted under the key of its subject, or under that of unreadable blocks'],
      ['digest', 'keyed digest of the bytes as they came'],
      ['of_anybody', 'nobody knows whose payloads are in it'],
    ].map(([column, comment]) => `COMMENT ON COLUMN feedback.dead_letter.${column} IS '${comment}'`),
    `GRANT MAINTAIN ON feedback.dead_letter TO sluice_feedback`,
  ],
  erases: {
    tables: evidenceTables,
    text: 'payloads of subjects that were stored in plain, under no key, were deleted; copies and backups still have them',
  },
};
