import type { WriteTransaction } from '@sluice/persistence/transaction';
import type { AppendedLeaf, SourceLogs } from '../usecases/append-entries.ts';
import type { AuditedChanges } from './audited-change.ts';
import { Turns } from './turns.ts';

const relay = { name: 'registry', kind: 'system' } as const;
const mostWaiting = 100;

/**
 * Entries of other services in Postgres, each with its place in the service's outbox.
 *
 * @param available throws `unavailable` at once while Postgres is known to be away
 */
export function createSourceLogs(changes: AuditedChanges, available: () => void): SourceLogs {
  // One at a time, so that they never keep more than one connection from changes of desired state.
  const turns = new Turns(1, mostWaiting);
  return {
    append: (source, decide) => {
      available();
      return turns.run(() =>
        changes.change(relay, async (tx) => {
          const next = await selectNext(tx, source);
          const { fresh, result } = await decide({
            next: async () => next,
            appended: (first, end) => selectAppended(tx, source, first, end),
          });
          if (fresh.length > 0) await insertPlaces(tx, source, next, fresh.length);
          return { entries: fresh, result: { firstLeaf: tx.revision, result } };
        }),
      );
    },
  };
}

async function selectNext(tx: WriteTransaction, source: string): Promise<number> {
  const [last] = await tx.query<{ sequence: number }>(
    `select sequence from registry.audit_source_entry where source = $1 order by sequence desc limit 1`,
    [source],
  );
  return (last?.sequence ?? 0) + 1;
}

async function selectAppended(
  tx: WriteTransaction,
  source: string,
  first: number,
  end: number,
): Promise<readonly AppendedLeaf[]> {
  const rows = await tx.query<{ leaf_index: number; canonical_json: string }>(
    `select leaf_index, e.canonical_json
     from registry.audit_source_entry s join registry.audit_entry e using (leaf_index)
     where s.source = $1 and s.sequence >= $2 and s.sequence < $3 order by s.sequence`,
    [source, first, end],
  );
  return rows.map((row) => ({ leafIndex: row.leaf_index, canonicalJson: row.canonical_json }));
}

async function insertPlaces(
  tx: WriteTransaction & { readonly revision: number },
  source: string,
  first: number,
  count: number,
): Promise<void> {
  await tx.execute(
    `insert into registry.audit_source_entry (source, sequence, leaf_index)
     select $1, $2::bigint + place, $3::bigint + place from generate_series(0, $4::bigint - 1) as place`,
    [source, first, tx.revision, count],
  );
}
