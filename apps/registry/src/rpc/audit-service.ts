import type { SourceEntry__Output } from '@sluice/contracts/gen/sluice/registry/v1/SourceEntry';
import type { AuditServiceMethods } from '@sluice/contracts/services';
import { notFound } from '@sluice/domain/errors';
import type { TreeHasher } from '@sluice/domain/merkle';
import type { Handlers } from '@sluice/rpc/handlers';
import type { CheckpointSink } from '../audit/checkpoint-sink.ts';
import type { SignedCheckpoint } from '../audit/checkpoint.ts';
import type { AuditEntry } from '../audit/entry.ts';
import type { SourceEntry, SourceLogs } from '../usecases/append-entries.ts';
import { appendEntries } from '../usecases/append-entries.ts';
import type { AuditLog } from '../usecases/audit-log.ts';
import { consistencyProof, inclusionProof } from '../usecases/audit-proofs.ts';
import { listAuditEntries } from '../usecases/list-audit-entries.ts';
import { verifyAudit, type VerifyProgress } from '../usecases/verify-audit.ts';
import { checkingTexts } from './check-texts.ts';
import { readInteger, readOptionalInteger, readTimestamp, timestamp } from './scalars.ts';

export interface AuditServicePorts {
  readonly log: AuditLog;
  readonly sink: CheckpointSink;
  readonly hasher: TreeHasher;
  readonly sources: SourceLogs;
}

/** Handlers of AuditService: decode, call the use case, encode. */
export function auditHandlers(ports: AuditServicePorts): Handlers<AuditServiceMethods> {
  const { log, hasher } = ports;
  return checkingTexts({
    listAuditEntries: async (request) => {
      const { entries, next } = await listAuditEntries(log, {
        from: readOptionalInteger(request.fromIndex, 'from_index'),
        pageSize: request.pageSize,
        object: request.objectPrefix,
        descending: request.descending,
      });
      return { entries: entries.map(encodeEntry), ...(next === undefined ? {} : { nextIndex: next }) };
    },
    verifyAudit: async function* (_, { signal }) {
      for await (const progress of verifyAudit(ports, signal)) yield encodeProgress(progress);
    },
    getInclusionProof: async (request) => {
      const { leafIndex, treeSize, leafHash, path, root } = await inclusionProof(log, hasher, {
        leafIndex: readInteger(request.leafIndex, 'leaf_index'),
        treeSize: readInteger(request.treeSize, 'tree_size'),
      });
      return { leafIndex, treeSize, leafHash, path: [...path], rootHash: root };
    },
    getConsistencyProof: async (request) => {
      const { path, ...proof } = await consistencyProof(log, hasher, {
        oldSize: readInteger(request.oldSize, 'old_size'),
        newSize: readInteger(request.newSize, 'new_size'),
      });
      return { ...proof, path: [...path] };
    },
    getLatestCheckpoint: async () => {
      const checkpoint = await log.read((reads) => reads.latestCheckpoint());
      if (!checkpoint) throw notFound('the audit log has no checkpoint yet: one is signed within seconds of a start');
      return { checkpoint: encodeCheckpoint(checkpoint) };
    },
    getAuditKey: async () => {
      const key = (await log.read((reads) => reads.keys())).at(-1);
      if (!key) throw notFound('the audit log has no key yet: a registry sets it when it starts');
      return { keyId: key.keyId, publicKeyPem: key.publicKeyPem };
    },
    appendEntries: async ({ source, entries }) => {
      const { nextSequence, leafIndexes } = await appendEntries(ports.sources, source, entries.map(decodeEntry));
      const leafIndex = leafIndexes.at(-1);
      return { nextSequence, leafIndexes: [...leafIndexes], ...(leafIndex === undefined ? {} : { leafIndex }) };
    },
  });
}

const decodeEntry = (entry: SourceEntry__Output, index: number): SourceEntry => ({
  sequence: readInteger(entry.sequence, `entries[${index}].sequence`),
  actor: entry.actor,
  action: entry.action,
  object: entry.object,
  detailsJson: entry.detailsJson,
  recordedAt: readTimestamp(entry.recordedAt, `entries[${index}].recorded_at`),
});

function encodeEntry({ effectiveAt, ...entry }: AuditEntry): Record<string, unknown> & { leafIndex: number } {
  return { ...entry, effectiveAt: timestamp(effectiveAt) };
}

function encodeCheckpoint({ signedAt, ...checkpoint }: SignedCheckpoint): Omit<SignedCheckpoint, 'signedAt'> & {
  signedAt: ReturnType<typeof timestamp>;
} {
  return { ...checkpoint, signedAt: timestamp(signedAt) };
}

function encodeProgress({ checked, total, verdict }: VerifyProgress): {
  checked: number;
  total: number;
  verdict?: { ok: boolean; treeSize: number; rootHash: Uint8Array; checkpointsChecked: number; problems: string[] };
} {
  return { checked, total, ...(verdict ? { verdict: { ...verdict, problems: [...verdict.problems] } } : {}) };
}
