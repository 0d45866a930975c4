import type { DataSource } from 'typeorm';
import type { PayloadAccess, PayloadAudit } from '../audit/payload-audit.ts';
import { statement } from './connection.ts';

/** Accesses to payloads, in the table from which entries go to the audit log. */
export class PayloadAuditStore implements PayloadAudit {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async record({ actor, action, object, details }: PayloadAccess): Promise<void> {
    await statement(
      this.#dataSource,
      `INSERT INTO feedback.audit_outbox (actor, action, object, details) VALUES ($1, $2, $3, $4)`,
      [actor, action, object, JSON.stringify(details)],
    );
  }
}
