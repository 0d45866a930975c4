import type { Migration } from '@sluice/persistence/migrator';

/**
 * The triggers of the log no longer fire for a replication role: a logical replica and a restore load rows in that role,
 * and a superuser, who alone may take it, can switch triggers off anyway. `VerifyAudit` is what holds a superuser.
 */
export const ordinaryTriggers: Migration = {
  id: '1780000004000-ordinary-triggers',
  statements: ['audit_entry', 'audit_node', 'audit_key', 'checkpoint'].map(
    (table) => `ALTER TABLE registry.${table} ENABLE TRIGGER append_only`,
  ),
};
