import { auditService } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import type { Transactions } from '@sluice/persistence/transaction';
import type { RpcServer } from '@sluice/rpc/server';
import type { Logger } from '@sluice/service-kit/logger';
import type { Metrics } from '@sluice/telemetry/metrics';
import type { ArtifactStore } from './artifacts/artifact-store.ts';
import { CheckpointSigner, type SignerStatus } from './audit/checkpoint-signer.ts';
import { documentSink } from './audit/checkpoint-sink.ts';
import { readSigningKey } from './audit/signing-key.ts';
import { hasher } from './audit/tree-hash.ts';
import { auditHandlers } from './rpc/audit-service.ts';
import type { AuditedChanges } from './store/audited-change.ts';
import { createAuditLog } from './store/audit-store.ts';
import { createAuditWrites } from './store/audit-writes.ts';
import { openAuditLog } from './usecases/open-audit-log.ts';

export interface AuditParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly transactions: Transactions;
  readonly audited: AuditedChanges;
  readonly artifacts: Pick<ArtifactStore, 'writeDocument' | 'readDocument' | 'listDocuments'>;
  readonly keyFile: string;
  readonly acceptRestore: boolean;
  readonly rotateKey: boolean;
}

export interface Audit {
  /** Adds AuditService to the public port. */
  mount(server: RpcServer): void;
  /** For the Admin RPC. */
  status(): SignerStatus & { readonly currentKeyId: string };
  /** Stops signing; resolves when the round that is under way has ended. */
  close(): Promise<void>;
}

/**
 * Opens the audit log and starts to sign it. To be awaited before the registry serves: throws `failed-precondition` for
 * a database from before the last checkpoint and for a key file that cannot be used.
 */
export async function startAudit(parts: AuditParts): Promise<Audit> {
  const { clock, logger, metrics, transactions, audited } = parts;
  const key = await readSigningKey(parts.keyFile);
  const log = createAuditLog(transactions);
  const writes = createAuditWrites(transactions, audited);
  const sink = documentSink(parts.artifacts);
  const opened = await openAuditLog({ log, writes, sink, hasher, key }, parts);
  if (opened.restoreAccepted) logger.warn('a database from before the last checkpoint was accepted; an entry says so');
  const signer = new CheckpointSigner({ log, writes, sink, hasher, key, clock, logger });
  signer.start();
  watchSigner(metrics, signer);
  return {
    mount: (server) => server.addService(auditService, auditHandlers({ log, sink, hasher })),
    status: () => ({ ...signer.status, currentKeyId: opened.currentKeyId }),
    close: () => signer.close(),
  };
}

function watchSigner(metrics: Metrics, signer: CheckpointSigner): void {
  metrics.observedGauge(
    'sluice_registry_checkpoint_entries',
    'Audit entries under the last checkpoint that this replica knows of',
    () => signer.status.checkpointSize,
  );
  metrics.observedGauge('sluice_registry_checkpoint_signing', '1 when the last round of signing went well', () =>
    signer.status.state === 'signing' ? 1 : 0,
  );
}
