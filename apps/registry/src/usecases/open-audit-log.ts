import { failedPrecondition, SluiceError } from '@sluice/domain/errors';
import type { TreeHasher } from '@sluice/domain/merkle';
import type { CheckpointSink } from '../audit/checkpoint-sink.ts';
import { isSignedBy, type SignedCheckpoint } from '../audit/checkpoint.ts';
import { readRestore } from '../audit/entry-check.ts';
import { auditActions, auditObjects, type AuditEntry } from '../audit/entry.ts';
import type { SigningKey } from '../audit/signing-key.ts';
import type { AuditLog, AuditReads, AuditWrites, LogEntry } from './audit-log.ts';
import { rootAt } from './audit-proofs.ts';

export interface OpenAuditLogPorts {
  readonly log: AuditLog;
  readonly writes: AuditWrites;
  readonly sink: CheckpointSink;
  readonly hasher: TreeHasher;
  readonly key: SigningKey;
}

export interface OpenAuditLogOptions {
  /** Takes a database that is older than the last checkpoint; leaves an entry that says so. */
  readonly acceptRestore: boolean;
  /** Makes our key the log's current one when it is not; leaves an entry that says so. */
  readonly rotateKey: boolean;
}

export interface OpenedAuditLog {
  /** True when a restored database was accepted now. */
  readonly restoreAccepted: boolean;
  /** The log's current key, which may not be ours: then this registry signs nothing. */
  readonly currentKeyId: string;
}

/**
 * To be called once before a registry serves: holds the database against the last checkpoint of the artifact store, and
 * gives a new log its key. Errors: `failed-precondition` when the database is older than that checkpoint or of another
 * history, `data-loss` when the checkpoint was tampered with.
 */
export async function openAuditLog(ports: OpenAuditLogPorts, options: OpenAuditLogOptions): Promise<OpenedAuditLog> {
  const restoreAccepted = await checkRestore(ports, options.acceptRestore);
  await ports.writes.append((reads) => keyEntry(reads, ports.key, options.rotateKey));
  const keys = await ports.log.read((reads) => reads.keys());
  return { restoreAccepted, currentKeyId: keys.at(-1)!.keyId };
}

async function keyEntry(reads: AuditReads, key: SigningKey, rotate: boolean): Promise<LogEntry | undefined> {
  const current = (await reads.keys()).at(-1);
  if (current && (current.keyId === key.keyId || !rotate)) return undefined;
  const { keyId, publicKeyPem } = key;
  return {
    action: current ? auditActions.keyRotated : auditActions.keySet,
    object: auditObjects.key,
    body: {
      key_id: keyId,
      public_key_pem: publicKeyPem,
      ...(current ? { previous_key_id: current.keyId } : {}),
    },
    key: { keyId, publicKeyPem },
  };
}

async function checkRestore(ports: OpenAuditLogPorts, accept: boolean): Promise<boolean> {
  const last = await ports.sink.latest();
  if (!last) return false;
  await assertAuthentic(ports, last);
  const problem = await ports.log.read((reads) => restoreProblem(reads, ports.hasher, last));
  if (problem === undefined) return false;
  if (!accept)
    throw failedPrecondition(
      `${problem}: the database was put back from before the last checkpoint, or is another one. Put back a newer one, or start with --accept-restore, which leaves an audit entry`,
    );
  await ports.writes.append(async (reads) => {
    // Another replica may have accepted it meanwhile.
    if ((await restoreProblem(reads, ports.hasher, last)) === undefined) return undefined;
    const size = await reads.size();
    return {
      action: auditActions.restoreAccepted,
      object: auditObjects.log,
      body: {
        checkpoint_size: last.treeSize,
        checkpoint_root: hex(last.rootHash),
        checkpoint_signed_at: new Date(last.signedAt).toISOString(),
        restored_size: size,
        restored_root: hex(await rootAt(reads, ports.hasher, size)),
      },
    };
  });
  return true;
}

/** A checkpoint by a key that we know must have its signature; one by another key may be of a history that is gone. */
async function assertAuthentic(ports: OpenAuditLogPorts, last: SignedCheckpoint): Promise<void> {
  const keys = await ports.log.read((reads) => reads.keys());
  const key = [ports.key, ...keys].find(({ keyId }) => keyId === last.keyId);
  if (key && !isSignedBy(last, key.publicKeyPem))
    throw new SluiceError(
      'data-loss',
      `the latest checkpoint in the artifact store (${last.treeSize} entries) does not have the signature of its key ${last.keyId}: it was tampered with or damaged`,
    );
}

async function restoreProblem(
  reads: AuditReads,
  hasher: TreeHasher,
  last: SignedCheckpoint,
): Promise<string | undefined> {
  const size = await reads.size();
  const matches = last.treeSize <= size && equal(await rootAt(reads, hasher, last.treeSize), last.rootHash);
  if (matches || (await wasAccepted(reads, last))) return undefined;
  return last.treeSize > size
    ? `the audit log has ${size} entries, but a checkpoint of ${last.treeSize} was signed at ${new Date(last.signedAt).toISOString()}`
    : `the audit log has another root at ${last.treeSize} entries than the checkpoint that was signed at ${new Date(last.signedAt).toISOString()}`;
}

/** True when an entry says that a database without this very checkpoint was accepted. */
async function wasAccepted(reads: AuditReads, last: SignedCheckpoint): Promise<boolean> {
  let from = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const page = await reads.entries({ from, limit: 100, object: auditObjects.log, descending: true });
    if (page.some((entry) => accepts(entry, last))) return true;
    const oldest = page.at(-1);
    if (!oldest || oldest.leafIndex === 0) return false;
    from = oldest.leafIndex - 1;
  }
}

function accepts(entry: AuditEntry, last: SignedCheckpoint): boolean {
  const restore = readRestore(entry);
  return restore?.checkpointSize === last.treeSize && restore.checkpointRoot === hex(last.rootHash);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
