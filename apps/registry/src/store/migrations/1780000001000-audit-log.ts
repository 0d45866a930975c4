import type { Migration } from '@sluice/persistence/migrator';

/** The audit log: entries, the whole nodes of their Merkle tree, signed checkpoints and the keys that signed them. */
export const auditLog: Migration = {
  id: '1780000001000-audit-log',
  statements: [
    `CREATE TABLE registry.audit_entry (
       leaf_index bigint PRIMARY KEY CHECK (leaf_index >= 0),
       effective_at timestamptz NOT NULL,
       actor text NOT NULL,
       actor_kind text NOT NULL,
       action text NOT NULL,
       object text COLLATE "C" NOT NULL,
       canonical_json text NOT NULL,
       leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32)
     )`,
    `COMMENT ON COLUMN registry.audit_entry.canonical_json IS
       'RFC 8785; the leaf hash is SHA-256 of a zero byte and this text in UTF-8'`,
    `CREATE INDEX audit_entry_object ON registry.audit_entry (object, leaf_index)`,
    `CREATE TABLE registry.audit_node (
       last_leaf bigint NOT NULL REFERENCES registry.audit_entry (leaf_index),
       level integer NOT NULL CHECK (level BETWEEN 0 AND 62),
       hash bytea NOT NULL CHECK (octet_length(hash) = 32),
       PRIMARY KEY (last_leaf, level)
     )`,
    `COMMENT ON TABLE registry.audit_node IS
       'the node over the 2^level leaves that end with last_leaf; only whole ones, which never change'`,
    `CREATE TABLE registry.audit_key (
       since_leaf bigint PRIMARY KEY REFERENCES registry.audit_entry (leaf_index) DEFERRABLE INITIALLY DEFERRED,
       key_id text NOT NULL,
       public_key_pem text NOT NULL
     )`,
    `COMMENT ON TABLE registry.audit_key IS 'keys of checkpoints; the one with the highest since_leaf is current'`,
    `CREATE TABLE registry.checkpoint (
       tree_size bigint PRIMARY KEY CHECK (tree_size > 0),
       root_hash bytea NOT NULL CHECK (octet_length(root_hash) = 32),
       signed_at timestamptz NOT NULL,
       key_id text NOT NULL,
       body text NOT NULL,
       signature bytea NOT NULL CHECK (octet_length(signature) = 64)
     )`,
    `CREATE FUNCTION registry.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       RAISE EXCEPTION 'the audit log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
         USING ERRCODE = 'insufficient_privilege';
     END
     $$`,
    ...['audit_entry', 'audit_node', 'audit_key', 'checkpoint'].flatMap((table) => [
      `CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.${table}
         FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change()`,
      // Also while a replication role would switch ordinary triggers off.
      `ALTER TABLE registry.${table} ENABLE ALWAYS TRIGGER append_only`,
      `GRANT SELECT, INSERT ON registry.${table} TO sluice_registry`,
    ]),
  ],
};
