/** An access to payloads, as the audit log has it. */
export interface PayloadAccess {
  /** Who asked. */
  readonly actor: string;
  readonly action: 'ReadPayloads';
  /** Such as `prediction/0198c0de-...`. */
  readonly object: string;
  /** What was asked for, and how many payloads that is. Never anything of a payload. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Accesses to payloads are noted before they are answered, one entry for each call. */
export interface PayloadAudit {
  /** Resolves when the entry is committed. Where it rejects, no payload is to be given. */
  record(access: PayloadAccess): Promise<void>;
}
