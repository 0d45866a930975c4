import { coveringNodes, lastLeafOf, TreeBuilder, type CompletedNode, type NodeId } from '@sluice/domain/merkle';
import { SluiceError } from '@sluice/domain/errors';
import type { ReadTransaction, Transactions, WriteTransaction } from '@sluice/persistence/transaction';
import { sealEntry, type ActorKind, type AuditEntry } from '../audit/entry.ts';
import { hasher } from '../audit/tree-hash.ts';
import { locks } from './locks.ts';

/** What a change says of itself: becomes one leaf of the audit log. */
export interface NewEntry {
  /** Words joined by dots, such as `alias.move.requested`. */
  readonly action: string;
  /** A path, such as `model/digits/alias/champion`. */
  readonly object: string;
  /** JSON values only. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Who did it, where that is not whoever makes the change. */
  readonly actor?: Actor;
}

/** What a change did. Without entries it changed nothing: the transaction is rolled back, so it cannot have. */
export interface Changed<T> {
  readonly entries: readonly NewEntry[];
  readonly result: T;
}

/** A person or program by name, or the registry itself. */
export type Actor = string | { readonly name: string; readonly kind: ActorKind };

/** The transaction of a change, under the audit lock. */
export interface ChangeTransaction extends WriteTransaction {
  /** Leaf index that the first entry of this change gets: the revision of every object that it changes. */
  readonly revision: number;
  /** When the change takes effect, in milliseconds since the epoch: the database's now, but never before an earlier change. */
  readonly effectiveAt: number;
}

export interface AuditedChanges {
  /**
   * The only way to write desired state: one transaction that takes the audit lock, runs `fn`, appends its entries to
   * the log and commits both or neither. NOTIFYs that `fn` sends go out with the commit. `fn` may run again after a
   * deadlock, so it must do nothing but use `tx`.
   */
  change<T>(actor: Actor, fn: (tx: ChangeTransaction) => Promise<Changed<T>>): Promise<T>;
}

interface Head {
  readonly size: number;
  /** Milliseconds since the epoch; not before the last entry's. */
  readonly now: number;
}

/** Audited changes on a pool; `transactions` must be READ COMMITTED, so that reads after the lock see what it guards. */
export function createAuditedChanges(transactions: Transactions): AuditedChanges {
  return {
    change: (actor, fn) =>
      transactions.readWrite(async (tx) => {
        await tx.query('SELECT pg_advisory_xact_lock($1)', [locks.audit]);
        const { size, now } = await readHead(tx);
        const { entries, result } = await fn({ ...tx, revision: size, effectiveAt: now });
        if (entries.length === 0) tx.discard();
        else await append(tx, size, seal(entries, actor, size, now));
        return result;
      }),
  };
}

/**
 * Size of the log, and when a change made now takes effect. The database's clock tells it, which also judges leases,
 * time-outs and retention: that of a host may be off. In whole milliseconds, as entries have them.
 */
export async function readHead(tx: ReadTransaction): Promise<Head> {
  const [head] = await tx.query<{ leaf_index: number | null; now: Date }>(
    `SELECT last.leaf_index, date_trunc('milliseconds', greatest(clock_timestamp(), last.effective_at)) AS now
     FROM (VALUES (1)) AS one
     LEFT JOIN (SELECT leaf_index, effective_at FROM registry.audit_entry ORDER BY leaf_index DESC LIMIT 1) AS last ON true`,
  );
  return { size: (head!.leaf_index ?? -1) + 1, now: head!.now.getTime() };
}

/** Hashes of whole nodes of the tree, in the order asked for. `data-loss` when one is missing. */
export async function readNodes(tx: ReadTransaction, ids: readonly NodeId[]): Promise<Uint8Array[]> {
  const rows = await tx.query<{ last_leaf: number; level: number; hash: Uint8Array }>(
    `SELECT n.last_leaf, n.level, n.hash FROM registry.audit_node n
     JOIN unnest($1::bigint[], $2::integer[]) AS q (last_leaf, level) USING (last_leaf, level)`,
    [ids.map(lastLeafOf), ids.map(({ level }) => level)],
  );
  const found = new Map(rows.map((row) => [`${row.level}/${row.last_leaf}`, row.hash]));
  return ids.map((id) => {
    const hash = found.get(`${id.level}/${lastLeafOf(id)}`);
    if (!hash)
      throw new SluiceError(
        'data-loss',
        `the audit log lacks node ${id.index} of level ${id.level}: run an audit verify`,
      );
    return hash;
  });
}

function seal(entries: readonly NewEntry[], actor: Actor, firstIndex: number, effectiveAt: number): AuditEntry[] {
  return entries.map(({ actor: own = actor, ...entry }, at) => {
    const { name, kind } = typeof own === 'string' ? { name: own, kind: 'unauthenticated' as const } : own;
    return sealEntry({ ...entry, leafIndex: firstIndex + at, effectiveAt, actor: name, actorKind: kind });
  });
}

async function append(tx: WriteTransaction, size: number, entries: readonly AuditEntry[]): Promise<void> {
  const tree = new TreeBuilder(hasher, size, await readNodes(tx, coveringNodes(0, size)));
  const nodes: CompletedNode[] = [];
  for (const entry of entries) nodes.push(...tree.append(entry.leafHash));
  const column = <Name extends keyof AuditEntry>(name: Name): AuditEntry[Name][] => entries.map((entry) => entry[name]);
  await tx.execute(
    `INSERT INTO registry.audit_entry
       (leaf_index, effective_at, actor, actor_kind, action, object, canonical_json, leaf_hash)
     SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
       $8::bytea[])`,
    [
      column('leafIndex'),
      column('effectiveAt').map((at) => new Date(at)),
      column('actor'),
      column('actorKind'),
      column('action'),
      column('object'),
      column('canonicalJson'),
      column('leafHash'),
    ],
  );
  await tx.execute(
    `INSERT INTO registry.audit_node (last_leaf, level, hash)
     SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bytea[])`,
    [nodes.map(lastLeafOf), nodes.map(({ level }) => level), nodes.map(({ hash }) => hash)],
  );
}
