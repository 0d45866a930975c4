import type { ReadTransaction, Transactions, WriteTransaction } from '@sluice/persistence/transaction';
import type { AuditKey, SignedCheckpoint } from '../audit/checkpoint.ts';
import type { AuditEntry } from '../audit/entry.ts';
import type { AuditLog, AuditReads, EntryQuery, StoredNode } from '../usecases/audit-log.ts';
import { readHead, readNodes } from './audited-change.ts';

interface EntryRow {
  leaf_index: number;
  effective_micros: number;
  actor: string;
  actor_kind: string;
  action: string;
  object: string;
  canonical_json: string;
  leaf_hash: Uint8Array;
}

interface CheckpointRow {
  tree_size: number;
  root_hash: Uint8Array;
  signed_micros: number;
  key_id: string;
  body: string;
  signature: Uint8Array;
}

/** Most bytes of canonical JSON that are read at once, so that a page of large entries fits into memory and a message. */
const maxPageBytes = 8 * 1024 * 1024;

/** Times are read to the microsecond: a Date would round a changed one to what it was. */
const checkpointSelect = `SELECT tree_size, root_hash, (extract(epoch FROM signed_at) * 1000000)::bigint AS signed_micros,
  key_id, body, signature FROM registry.checkpoint`;

/** The audit log in Postgres. */
export function createAuditLog(transactions: Transactions): AuditLog {
  return { read: (fn) => transactions.readOnly((tx) => fn(auditReads(tx))) };
}

/** Reads of the log in a transaction that is open. */
export function auditReads(tx: ReadTransaction): AuditReads {
  return {
    size: async () => (await readHead(tx)).size,
    entries: (query) => selectEntries(tx, query),
    nodeRows: (start, end) => selectNodeRows(tx, start, end),
    nodes: (ids) => readNodes(tx, ids),
    checkpoints: (start, end) => selectCheckpoints(tx, start, end),
    latestCheckpoint: () => selectLatestCheckpoint(tx),
    keys: () => selectKeys(tx),
  };
}

/** Stores a checkpoint; the same one twice, or another of its size, is refused by the key. */
export async function insertCheckpoint(tx: WriteTransaction, checkpoint: SignedCheckpoint): Promise<void> {
  await tx.execute(
    `INSERT INTO registry.checkpoint (tree_size, root_hash, signed_at, key_id, body, signature)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      checkpoint.treeSize,
      checkpoint.rootHash,
      new Date(checkpoint.signedAt),
      checkpoint.keyId,
      checkpoint.body,
      checkpoint.signature,
    ],
  );
}

/** Makes a key current from the entry that says so. */
export async function insertKey(tx: WriteTransaction, key: AuditKey): Promise<void> {
  await tx.execute('INSERT INTO registry.audit_key (since_leaf, key_id, public_key_pem) VALUES ($1, $2, $3)', [
    key.sinceLeaf,
    key.keyId,
    key.publicKeyPem,
  ]);
}

async function selectEntries(tx: ReadTransaction, query: EntryQuery): Promise<AuditEntry[]> {
  const [compare, order] = query.descending ? ['<=', 'DESC'] : ['>=', 'ASC'];
  const rows = await tx.query<EntryRow>(
    `SELECT *, (extract(epoch FROM effective_at) * 1000000)::bigint AS effective_micros
     FROM (SELECT *, sum(octet_length(canonical_json)) OVER so_far AS bytes, row_number() OVER so_far AS place
           FROM (SELECT * FROM registry.audit_entry
                 WHERE leaf_index ${compare} $1 AND ($2 = '' OR object = $2 OR starts_with(object, $2 || '/'))
                 ORDER BY leaf_index ${order} LIMIT $3) AS asked
           WINDOW so_far AS (ORDER BY leaf_index ${order} ROWS UNBOUNDED PRECEDING)) AS counted
     WHERE bytes <= $4 OR place = 1
     ORDER BY leaf_index ${order}`,
    [query.from, query.object, query.limit, maxPageBytes],
  );
  return rows.map((row) => ({
    leafIndex: row.leaf_index,
    effectiveAt: row.effective_micros / 1000,
    actor: row.actor,
    actorKind: row.actor_kind,
    action: row.action,
    object: row.object,
    canonicalJson: row.canonical_json,
    leafHash: row.leaf_hash,
  }));
}

async function selectNodeRows(tx: ReadTransaction, start: number, end: number): Promise<StoredNode[]> {
  const rows = await tx.query<{ last_leaf: number; level: number; hash: Uint8Array }>(
    `SELECT last_leaf, level, hash FROM registry.audit_node
     WHERE last_leaf >= $1 AND last_leaf < $2 ORDER BY last_leaf, level`,
    [start, end],
  );
  return rows.map((row) => ({ lastLeaf: row.last_leaf, level: row.level, hash: row.hash }));
}

async function selectCheckpoints(tx: ReadTransaction, start: number, end: number): Promise<SignedCheckpoint[]> {
  const rows = await tx.query<CheckpointRow>(
    `${checkpointSelect} WHERE tree_size BETWEEN $1 AND $2 ORDER BY tree_size`,
    [start, end],
  );
  return rows.map(toCheckpoint);
}

async function selectLatestCheckpoint(tx: ReadTransaction): Promise<SignedCheckpoint | undefined> {
  const [row] = await tx.query<CheckpointRow>(`${checkpointSelect} ORDER BY tree_size DESC LIMIT 1`);
  return row && toCheckpoint(row);
}

async function selectKeys(tx: ReadTransaction): Promise<AuditKey[]> {
  const rows = await tx.query<{ since_leaf: number; key_id: string; public_key_pem: string }>(
    'SELECT since_leaf, key_id, public_key_pem FROM registry.audit_key ORDER BY since_leaf',
  );
  return rows.map((row) => ({ sinceLeaf: row.since_leaf, keyId: row.key_id, publicKeyPem: row.public_key_pem }));
}

function toCheckpoint(row: CheckpointRow): SignedCheckpoint {
  return {
    treeSize: row.tree_size,
    rootHash: row.root_hash,
    signedAt: row.signed_micros / 1000,
    keyId: row.key_id,
    body: row.body,
    signature: row.signature,
  };
}
