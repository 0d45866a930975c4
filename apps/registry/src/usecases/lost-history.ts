import type { TreeHasher } from '@sluice/domain/merkle';
import { isSignedBy, type AuditKey, type SignedCheckpoint } from '../audit/checkpoint.ts';
import { readRestore, type CheckpointName } from '../audit/entry-check.ts';
import { auditObjects } from '../audit/entry.ts';
import type { AuditReads } from './audit-log.ts';
import { rootAt } from './audit-proofs.ts';

/** What is known of keys and hashes outside the database. */
export interface HistoryPorts {
  readonly hasher: TreeHasher;
  /** Ours, which the log may not know yet, or no more. */
  readonly key: Pick<AuditKey, 'keyId' | 'publicKeyPem'>;
}

/** How a database stands to checkpoints that were kept outside of it. */
export interface HistoryVerdict {
  /** The highest checkpoint that the log still has. */
  readonly sound?: SignedCheckpoint;
  /** The highest one that it lacks, though nobody has accepted its loss, and why. */
  readonly lost?: { readonly checkpoint: SignedCheckpoint; readonly problem: string };
}

/**
 * Holds the log against the highest authentic one of `kept`. Those whose loss an entry accepts do not count. What has not the signature of its key is passed over, `VerifyAudit` names it; one by a key that nobody knows
 * counts, since it may be of the history that is gone.
 */
export async function judgeHistory(
  reads: AuditReads,
  { hasher, key }: HistoryPorts,
  kept: readonly SignedCheckpoint[],
): Promise<HistoryVerdict> {
  const size = await reads.size();
  const keys = [key, ...(await reads.keys())];
  let accepted: readonly CheckpointName[] | undefined;
  for (const checkpoint of kept.toSorted((a, b) => b.treeSize - a.treeSize || b.signedAt - a.signedAt)) {
    if (!isAuthentic(checkpoint, keys)) continue;
    const has = checkpoint.treeSize <= size;
    if (has && equal(await rootAt(reads, hasher, checkpoint.treeSize), checkpoint.rootHash))
      return { sound: checkpoint };
    accepted ??= await acceptedAsLost(reads);
    const root = Buffer.from(checkpoint.rootHash).toString('hex');
    if (!accepted.some((lost) => lost.size === checkpoint.treeSize && lost.root === root))
      return { lost: { checkpoint, problem: problemOf(checkpoint, size) } };
  }
  return {};
}

/** False for a checkpoint that should have the signature of a key that we know, and has not. */
export function isAuthentic(checkpoint: SignedCheckpoint, keys: readonly HistoryPorts['key'][]): boolean {
  const key = keys.find(({ keyId }) => keyId === checkpoint.keyId);
  return key === undefined || isSignedBy(checkpoint, key.publicKeyPem);
}

function problemOf({ treeSize, signedAt }: SignedCheckpoint, size: number): string {
  const when = new Date(signedAt).toISOString();
  return treeSize > size
    ? `the audit log has ${size} entries, but a checkpoint of ${treeSize} was signed at ${when}`
    : `the audit log has another root at ${treeSize} entries than the checkpoint that was signed at ${when}`;
}

/** The checkpoints whose loss entries of the log accept. */
async function acceptedAsLost(reads: AuditReads): Promise<readonly CheckpointName[]> {
  const lost: CheckpointName[] = [];
  for (let from = 0; ;) {
    const page = await reads.entries({ from, limit: 100, object: auditObjects.log, descending: false });
    for (const entry of page) lost.push(...(readRestore(entry)?.lost ?? []));
    const last = page.at(-1);
    if (!last) return lost;
    from = last.leafIndex + 1;
  }
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
