import type { Migration } from '@sluice/persistence/migrator';

/** Subjects of files that are being made: their digest, by which they are known, is there at the end alone. */
export const exportStaging: Migration = {
  id: '1780000013000-exports',
  statements: [
    `CREATE TABLE feedback.export_staging (
       export_id uuid NOT NULL,
       begun_at timestamptz NOT NULL DEFAULT now(),
       subject_hash bytea NOT NULL CHECK (octet_length(subject_hash) = 32),
       PRIMARY KEY (export_id, subject_hash)
     )`,
    `CREATE INDEX export_staging_begun ON feedback.export_staging USING brin (begun_at)`,
    `COMMENT ON TABLE feedback.export_staging IS 'keyed hashes of subjects with payloads in a file that is being made'`,
    `GRANT SELECT, INSERT, DELETE ON feedback.export_staging TO sluice_feedback`,
    `COMMENT ON COLUMN feedback.export_subject.digest IS 'SHA-256 of the file, which is the digest of the version of a data set'`,
    `COMMENT ON COLUMN feedback.export_subject.data_set IS 'that the file was to be a version of; empty for none'`,
    `COMMENT ON COLUMN feedback.export_subject.version IS '0: the digest names it'`,
    `COMMENT ON TABLE feedback.export_subject IS 'which exports have payloads of which subjects'`,
  ],
};
