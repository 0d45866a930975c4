import { invalidArgument } from '@sluice/domain/errors';
import { isActor, isVisibleName } from '@sluice/domain/model';

/** Something that belongs into the audit log. It waits in the outbox, in the transaction of what it tells of, until the log has it. */
export interface AuditEntry {
  /** Metadata `sluice-actor` of the call. */
  readonly actor: string;
  /** The name of the call, such as `EraseSubject`. */
  readonly action: string;
  /** Such as `erasure/<id>`. */
  readonly object: string;
  /** What JSON can hold exactly. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** How much waits, for the metrics. */
export interface OutboxFill {
  readonly waiting: number;
  /** Milliseconds since the epoch; undefined when nothing waits. */
  readonly oldestMs: number | undefined;
}

const mostDetails = 65_536;

/** Refuses what the audit log would not take: an entry that stays would hold up all behind it. Returns the details as text. */
export function checkAuditEntry({ actor, action, object, details }: AuditEntry): string {
  if (!isActor(actor))
    throw invalidArgument('metadata sluice-actor: expected 1 to 128 visible characters, not a name of the registry');
  if (!/^[A-Z][A-Za-z0-9]{0,63}$/.test(action))
    throw new RangeError(`audit action ${action} is not the name of a call`);
  if (!isVisibleName(object, 512))
    throw invalidArgument('the object of an audit entry has 1 to 512 visible characters');
  const text = JSON.stringify(details);
  if (text.length > mostDetails)
    throw invalidArgument(
      `what the audit log would have to keep of this call has ${text.length} characters; at most ${mostDetails}`,
    );
  return text;
}
