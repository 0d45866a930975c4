import type { TreeHasher } from '@sluice/domain/merkle';
import type { SignedCheckpoint } from '../audit/checkpoint.ts';
import type { CheckpointSink } from '../audit/checkpoint-sink.ts';
import { AuditCheck, type AuditVerdict, type CheckStart } from './audit-check.ts';
import type { AuditLog } from './audit-log.ts';

export interface VerifyAuditPorts {
  readonly log: AuditLog;
  readonly sink: CheckpointSink;
  readonly hasher: TreeHasher;
  /** Entries that are read at once. Default 500. */
  readonly pageSize?: number;
}

export interface VerifyProgress {
  readonly checked: number;
  readonly total: number;
  /** In the last one. */
  readonly verdict?: AuditVerdict;
}

/**
 * Reads every entry again, in pages, and holds the rows, the tree, the checkpoints in database and artifact store, and
 * the keys against each other. Entries that are appended meanwhile are left for the next time. Ends early when `signal`
 * aborts.
 */
export async function* verifyAudit(ports: VerifyAuditPorts, signal: AbortSignal): AsyncGenerator<VerifyProgress> {
  const { log } = ports;
  const pageSize = ports.pageSize ?? 500;
  // The artifact store first: what it has seen, the database must have.
  const check = new AuditCheck(ports.hasher, await readStart(ports));
  const { size } = check;
  for (let start = 0; start < size; start += pageSize) {
    signal.throwIfAborted();
    const end = Math.min(start + pageSize, size);
    const page = await log.read(async (reads) => ({
      entries: await reads.entries({ from: start, limit: end - start, object: '', descending: false }),
      nodes: await reads.nodeRows(start, end),
      checkpoints: await reads.checkpoints(start + 1, end),
    }));
    check.page(start, end, page);
    if (end < size) yield { checked: end, total: size };
  }
  yield { checked: size, total: size, verdict: check.verdict() };
}

async function readStart({ log, sink }: VerifyAuditPorts): Promise<CheckStart> {
  const kept: SignedCheckpoint[] = [];
  for await (const checkpoint of sink.all()) kept.push(checkpoint);
  return log.read(async (reads) => {
    const size = await reads.size();
    return {
      size,
      kept,
      keys: await reads.keys(),
      beyond: await reads.checkpoints(size + 1, Number.MAX_SAFE_INTEGER),
      nodesBeyond: await reads.nodeRows(size, Number.MAX_SAFE_INTEGER),
    };
  });
}
