import type { TreeHasher } from '@sluice/domain/merkle';
import type { SignedCheckpoint } from '../audit/checkpoint.ts';
import type { CheckpointSink } from '../audit/checkpoint-sink.ts';
import { AuditCheck, type AuditPage, type AuditVerdict, type CheckStart } from './audit-check.ts';
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
  for (let start = 0; start < size;) {
    signal.throwIfAborted();
    const page = await readPage(log, start, Math.min(start + pageSize, size));
    check.page(start, page.end, page);
    start = page.end;
    if (start < size) yield { checked: start, total: size };
  }
  yield { checked: size, total: size, verdict: check.verdict() };
}

/** The rows of leaves from `start` to before `end`, or to before an earlier one when they are large. */
async function readPage(log: AuditLog, start: number, end: number): Promise<AuditPage & { readonly end: number }> {
  return log.read(async (reads) => {
    const found = await reads.entries({ from: start, limit: end - start, object: '', descending: false });
    const entries = found.filter(({ leafIndex }) => leafIndex < end);
    // A short page has large entries or lacks some: what follows the last one is for the next page to see.
    const last = entries.at(-1);
    const pageEnd = last && entries.length < end - start ? last.leafIndex + 1 : end;
    const nodes = await reads.nodeRows(start, pageEnd);
    return { entries, nodes, checkpoints: await reads.checkpoints(start + 1, pageEnd), end: pageEnd };
  });
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
