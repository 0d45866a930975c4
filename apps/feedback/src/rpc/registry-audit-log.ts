import { auditService } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import { createRpcClient } from '@sluice/rpc/client';
import type { AuditLog, NumberedEntry } from '../audit/audit-relay.ts';
import { readInteger, timestamp } from './scalars.ts';

export interface RegistryAuditLogOptions {
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly tls: Parameters<typeof createRpcClient>[2]['tls'];
  /** Of one call, in milliseconds. */
  readonly timeoutMs: number;
}

/** The name under which the log has the entries of this service. */
const source = 'feedback';

/** The registry's audit log. */
export class RegistryAuditLog implements AuditLog {
  readonly #client: ReturnType<typeof clientOf>;
  readonly #timeoutMs: number;

  constructor(options: RegistryAuditLogOptions) {
    this.#client = clientOf(options);
    this.#timeoutMs = options.timeoutMs;
  }

  async append(entries: readonly NumberedEntry[]) {
    const request = {
      source,
      entries: entries.map(({ recordedMs, ...entry }) => ({ ...entry, recordedAt: timestamp(recordedMs) })),
    };
    const answer = await this.#client.appendEntries(request, { timeoutMs: this.#timeoutMs });
    return {
      nextSequence: readInteger(answer.nextSequence, 'next_sequence'),
      leafIndexes: answer.leafIndexes.map((index) => readInteger(index, 'leaf_indexes')),
    };
  }

  close(): void {
    this.#client.close();
  }
}

const clientOf = ({ addresses, clock, tls }: RegistryAuditLogOptions) =>
  createRpcClient(auditService, addresses, { clock, tls });
