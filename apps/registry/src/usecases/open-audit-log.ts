import { failedPrecondition } from '@sluice/domain/errors';
import type { TreeHasher } from '@sluice/domain/merkle';
import type { CheckpointSink } from '../audit/checkpoint-sink.ts';
import type { SignedCheckpoint } from '../audit/checkpoint.ts';
import { auditActions, auditObjects } from '../audit/entry.ts';
import type { SigningKey } from '../audit/signing-key.ts';
import type { AuditLog, AuditReads, AuditWrites, LogEntry } from './audit-log.ts';
import { rootAt } from './audit-proofs.ts';
import { allKept, latestKept } from './kept-checkpoints.ts';
import { judgeHistory } from './lost-history.ts';

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
 * To be called once before a registry serves: holds the database against the highest checkpoint of the artifact store,
 * and gives a new log its key. Errors: `failed-precondition` when the database is older than that checkpoint or of
 * another history, `data-loss` when the latest checkpoint was tampered with.
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
  await latestKept(ports.sink, [ports.key, ...(await ports.log.read((reads) => reads.keys()))]);
  const kept = await allKept(ports.sink);
  const { lost } = await ports.log.read((reads) => judgeHistory(reads, ports, kept));
  if (!lost) return false;
  if (!accept)
    throw failedPrecondition(
      `${lost.problem}: the database was put back from before the last checkpoint, or is another one. Put back a newer one, or start with --accept-restore, which leaves an audit entry`,
    );
  await ports.writes.append(async (reads) => {
    // Another replica may have accepted it meanwhile.
    const { lost: still } = await judgeHistory(reads, ports, kept);
    return still && restoreEntry(reads, ports.hasher, still.checkpoint, kept);
  });
  return true;
}

/** Names every checkpoint that is lost: whichever of them the artifact store still has later, its loss was accepted. */
async function restoreEntry(
  reads: AuditReads,
  hasher: TreeHasher,
  lost: SignedCheckpoint,
  kept: readonly SignedCheckpoint[],
): Promise<LogEntry> {
  const size = await reads.size();
  return {
    action: auditActions.restoreAccepted,
    object: auditObjects.log,
    body: {
      checkpoint_size: lost.treeSize,
      checkpoint_root: hex(lost.rootHash),
      checkpoint_signed_at: new Date(lost.signedAt).toISOString(),
      restored_size: size,
      restored_root: hex(await rootAt(reads, hasher, size)),
      lost_checkpoints: kept
        .filter(({ treeSize }) => treeSize > size)
        .map(({ treeSize, rootHash }) => ({ size: treeSize, root: hex(rootHash) })),
    },
  };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
