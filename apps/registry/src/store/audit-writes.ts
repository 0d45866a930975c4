import type { Transactions } from '@sluice/persistence/transaction';
import type { AuditWrites } from '../usecases/audit-log.ts';
import type { AuditedChanges } from './audited-change.ts';
import { auditReads, insertCheckpoint, insertKey } from './audit-store.ts';
import { locks } from './locks.ts';

const registry = { name: 'registry', kind: 'system' } as const;

/** The log's own entries and checkpoints in Postgres. */
export function createAuditWrites(transactions: Transactions, changes: AuditedChanges): AuditWrites {
  return {
    append: (decide) =>
      changes.change(registry, async (tx) => {
        const entry = await decide(auditReads(tx));
        if (!entry) return { entries: [], result: undefined };
        const { key, ...said } = entry;
        // The row refers to its entry, which is there at the end of the transaction.
        if (key) await insertKey(tx, { ...key, sinceLeaf: tx.revision });
        return { entries: [said], result: undefined };
      }),
    checkpoint: (make) =>
      transactions.readWrite(async (tx) => {
        const [lock] = await tx.query<{ taken: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS taken', [
          locks.checkpoint,
        ]);
        if (lock?.taken !== true) return undefined;
        const checkpoint = await make(auditReads(tx));
        if (checkpoint) await insertCheckpoint(tx, checkpoint);
        return checkpoint;
      }),
  };
}
