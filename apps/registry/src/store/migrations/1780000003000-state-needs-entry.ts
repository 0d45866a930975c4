import type { Migration } from '@sluice/persistence/migrator';

/** Tables of desired state. Leases, admissions under way, uses of artifacts and outages are not. */
const tables = [
  'model',
  'version',
  'version_file',
  'version_history',
  'version_request',
  'alias',
  'alias_history',
  'alias_move',
  'approval',
  'pin',
  'release',
  'retained',
];

/** The database itself refuses to commit a change of desired state that leaves no audit entry. */
export const stateNeedsEntry: Migration = {
  id: '1780000003000-state-needs-entry',
  statements: [
    `CREATE FUNCTION registry.require_entry() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF (SELECT xmin = pg_current_xact_id()::xid FROM registry.audit_entry ORDER BY leaf_index DESC LIMIT 1) IS NOT TRUE
       THEN
         RAISE EXCEPTION 'a change of registry.% needs an audit entry in its transaction', TG_TABLE_NAME
           USING ERRCODE = 'internal_error';
       END IF;
       RETURN NULL;
     END
     $$`,
    ...tables.map(
      (table) => `CREATE CONSTRAINT TRIGGER needs_entry AFTER INSERT OR UPDATE OR DELETE ON registry.${table}
                  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry.require_entry()`,
    ),
  ],
};
