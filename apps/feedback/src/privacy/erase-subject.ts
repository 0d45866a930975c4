import { invalidArgument } from '@sluice/domain/errors';
import { checkText } from '@sluice/domain/text';
import { isReadableSubject } from '../payloads/subject.ts';
import type { Erasure, NewErasure } from './erasure.ts';
import type { PublishPorts } from './publish-erasures.ts';
import { takeUpErasures, writeDocuments } from './publish-erasures.ts';

export interface ErasePorts extends PublishPorts {
  /** Routers are to be told of orders up to this number. */
  readonly announce: (number: number) => void;
}

export const mostReasonBytes = 1_024;
const mostRequestIdBytes = 128;

/**
 * Destroys the key of a subject, and makes sure that no backup brings it back. When it resolves the order is in the database, in the
 * outbox of the audit log and in the artifact store. Errors: `unavailable` when nobody knows, or it is not in the artifact store yet: to
 * be repeated with the same request id.
 */
export async function eraseSubject(ports: ErasePorts, request: NewErasure): Promise<Erasure> {
  check(request);
  const { erasures, announce } = ports;
  // Numbers that a lost database gave must not be given again.
  await takeUpErasures(ports);
  const { erasureId } = await erasures.order(request);
  await writeDocuments(ports);
  announce(await erasures.lastWithDocument());
  await erasures.settle();
  return (await erasures.find(erasureId))!;
}

function check({ subject, reason, requestId }: NewErasure): void {
  if (subject === '') throw invalidArgument('subject: empty; expected the one that predictions named');
  // What is not readable has no payload: it could not be told whose it is.
  if (!isReadableSubject(subject))
    throw invalidArgument(
      'subject: expected at most 1020 bytes of text without NUL and U+FFFD, as payloads are kept for',
    );
  if (!/^[\x20-\x7e]*$/.test(subject))
    throw invalidArgument(
      'subject: expected printable ASCII, as metadata has it: nothing is kept of another one. Write it as predictions named it, octet for octet',
    );
  checkReason(reason);
  if (Buffer.byteLength(requestId) > mostRequestIdBytes)
    throw invalidArgument(
      `request_id: ${Buffer.byteLength(requestId)} bytes given; expected at most ${mostRequestIdBytes}`,
    );
  checkText(requestId, 'request_id');
}

/** Refuses what is no reason for the audit log. */
export function checkReason(reason: string): void {
  const bytes = Buffer.byteLength(reason);
  if (bytes === 0 || bytes > mostReasonBytes)
    throw invalidArgument(`reason: ${bytes} bytes given; expected 1 to ${mostReasonBytes}, for the audit log`);
  checkText(reason, 'reason');
}
