import type { Say } from '@sluice/persistence/migrate-schema';
import type { WriteTransaction } from '@sluice/persistence/transaction';

/** The least id that a transaction can have. */
const firstTransaction = 3;

interface State {
  readonly known: string;
  readonly system: string;
  readonly current: string;
  readonly ahead: boolean;
}

/**
 * Transaction ids mean something within one cluster. Where the tables have those of another one, because they were restored from a copy, all of
 * them are rewritten to ids that this cluster has given out already, in the same order: two that were different may become one
 * where it has given out fewer. Cursors of before are refused from then on. All of it is one transaction.
 *
 * @param below all new ids are below it; without it, below the id of this transaction
 */
export async function rewriteAfterRestore(tx: WriteTransaction, say: Say, below?: number): Promise<void> {
  const [state] = await tx.query<State>(
    `SELECT c.system_identifier AS known, s.system_identifier::text AS system, pg_current_xact_id()::text AS current,
       EXISTS (SELECT FROM feedback.evidence WHERE recorded_xid > pg_current_xact_id())
         OR EXISTS (SELECT FROM feedback.evidence_skewed WHERE recorded_xid > pg_current_xact_id()) AS ahead
     FROM feedback.cluster AS c, pg_control_system() AS s`,
  );
  const { known, system, current, ahead } = state!;
  if (known === system && !ahead) return;
  const tables = await tablesOf(tx);
  say('the database was restored into another cluster: transaction ids are rewritten', {
    ...{ known, system, tables: tables.length },
  });
  await mapIds(tx, tables, below === undefined ? current : String(below));
  let rewritten = 0;
  for (const [index, table] of tables.entries()) {
    const rows = await tx.execute(
      `UPDATE ${table} AS t SET recorded_xid = m.new_id FROM pg_temp.renumbered AS m
         WHERE t.recorded_xid = m.old_id AND m.new_id <> m.old_id`,
    );
    rewritten += rows;
    if (rows > 0) say('rewritten', { table, rows, done: index + 1, tables: tables.length });
  }
  // Whoever joins what waits looks at all evidence again: what is joined already is not joined twice.
  await tx.execute(`UPDATE feedback.join_position SET evidence_xid = '0'`);
  // Cursors that could have missed what these are about are refused as a whole.
  await tx.execute('DELETE FROM feedback.dropped');
  await tx.execute(`UPDATE feedback.cluster SET system_identifier = $1, history = gen_random_uuid(), since = now()`, [
    system,
  ]);
  say('transaction ids are rewritten; cursors of before are refused', { rows: rewritten });
}

/** Every table that has rows of its own with such an id: partitions, and tables without any. */
async function tablesOf(tx: WriteTransaction): Promise<string[]> {
  const rows = await tx.query<{ name: string }>(
    `SELECT format('feedback.%I', c.relname) AS name FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
     WHERE a.attname = 'recorded_xid' AND a.atttypid = 'xid8'::regtype AND NOT a.attisdropped
       AND c.relkind = 'r' AND c.relnamespace = 'feedback'::regnamespace ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

/** `renumbered`: each id that there is, and one below `below` that takes its place. */
async function mapIds(tx: WriteTransaction, tables: readonly string[], below: string): Promise<void> {
  await tx.execute('CREATE TEMPORARY TABLE renumbered (old_id xid8 PRIMARY KEY, new_id xid8) ON COMMIT DROP');
  for (const table of tables)
    await tx.execute(
      `INSERT INTO pg_temp.renumbered (old_id) SELECT DISTINCT recorded_xid FROM ${table} ON CONFLICT DO NOTHING`,
    );
  await tx.execute(
    `UPDATE pg_temp.renumbered AS r SET new_id = placed.new_id::text::xid8 FROM (
       SELECT old_id, ${firstTransaction} + trunc((row_number() OVER (ORDER BY old_id) - 1)::numeric
         * ($1::text::numeric - ${firstTransaction}) / count(*) OVER ()) AS new_id
       FROM pg_temp.renumbered
     ) AS placed WHERE placed.old_id = r.old_id`,
    [below],
  );
}
