import type { Erasure__Output } from '@sluice/contracts/gen/sluice/feedback/v1/Erasure';
import type { Spool__Output } from '@sluice/contracts/gen/sluice/feedback/v1/Spool';
import { type CliContext, pause, progress, show } from '../context.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { plural, showEnum, showFields, showTable, showTime } from '../format.ts';

export interface EraseFlags {
  readonly reason: string;
  /** Makes the command safe to repeat. */
  readonly requestId: string;
  readonly destroyUnreadable: boolean;
  readonly wait: boolean;
  /** Longest wait, in seconds. */
  readonly timeout: number;
}

/** Between looks at an order, in milliseconds. */
const lookMs = 1_000;

/**
 * `sluice erase SUBJECT`: the key is destroyed when it is answered; then it waits until nothing lies elsewhere any more, and shows what
 * does.
 *
 * @throws CliError incomplete when something still does when it does not wait any more
 */
export async function eraseSubject(context: CliContext, subject: string, flags: EraseFlags): Promise<void> {
  const { privacy } = context.services;
  const { reason, requestId, destroyUnreadable, wait } = flags;
  const request = { subject, reason, requestId, destroyUnreadable };
  let erasure = (await privacy.eraseSubject(request, { signal: context.signal })).erasure!;
  progress(context, `order ${erasure.erasureId}: ${plural(erasure.keysDestroyed, 'key')} destroyed`);
  if (erasure.keysDestroyed === 0)
    progress(context, 'nothing was kept of this subject: is it written as predictions named it, octet for octet?');
  const until = context.clock.monotonic() + flags.timeout * 1000;
  let shown = '';
  while (wait && isPending(erasure) && context.clock.monotonic() < until) {
    const waitsFor = pendingText(erasure);
    if (waitsFor !== shown) progress(context, `waiting for ${(shown = waitsFor)}`);
    await pause(context, lookMs);
    context.signal.throwIfAborted();
    erasure = (await privacy.getErasure({ erasureId: erasure.erasureId }, { signal: context.signal })).erasure!;
  }
  show(context, erasure, () => erasureText(erasure));
  if (isPending(erasure))
    throw new CliError(
      exitCodes.incomplete,
      `the key is destroyed; still pending: ${pendingText(erasure)}`,
      `\`sluice erase show ${erasure.erasureId}\` looks again; a spool whose disk is gone is forgotten by \`sluice erase forget\`.`,
    );
}

/** `sluice erase show ID` */
export async function showErasure(context: CliContext, erasureId: string): Promise<void> {
  const { erasure } = await context.services.privacy.getErasure({ erasureId }, { signal: context.signal });
  show(context, erasure, () => erasureText(erasure!));
}

/** `sluice erase list`: the newest first. */
export async function listErasures(
  context: CliContext,
  { pending, limit }: { readonly pending?: true; readonly limit: number },
): Promise<void> {
  const state = pending ? 'ERASURE_STATE_PENDING' : 'ERASURE_STATE_UNSPECIFIED';
  const found = await pages(limit, async (page) => {
    const { erasures, nextPageToken } = await context.services.privacy.listErasures(
      { ...page, state },
      { signal: context.signal },
    );
    return { items: erasures, nextPageToken };
  });
  const nothing = pending ? 'no order to erase is pending' : 'no subject was erased';
  show(context, found, () => (found.length === 0 ? nothing : erasuresText(found)));
}

/** `sluice erase spools` */
export async function listSpools(context: CliContext, { limit }: { readonly limit: number }): Promise<void> {
  const found = await pages(limit, async (page) => {
    const { spools, nextPageToken } = await context.services.privacy.listSpools(page, { signal: context.signal });
    return { items: spools, nextPageToken };
  });
  show(context, found, () => (found.length === 0 ? 'feedback has heard of no spool' : spoolsText(found)));
}

/** `sluice erase forget ID` */
export async function forgetSpool(context: CliContext, spoolId: string, reason: string): Promise<void> {
  const { spool } = await context.services.privacy.forgetSpool({ spoolId, reason }, { signal: context.signal });
  show(context, spool, () => `nothing waits any more for spool ${spoolId} of router ${spool!.routerId}`);
}

interface Page {
  readonly pageSize: number;
  readonly pageToken: string;
}

async function pages<T>(
  limit: number,
  read: (page: Page) => Promise<{ readonly items: readonly T[]; readonly nextPageToken: string }>,
): Promise<T[]> {
  const found: T[] = [];
  let pageToken = '';
  do {
    const page = await read({ pageSize: Math.min(1000, limit - found.length), pageToken });
    found.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && found.length < limit);
  return found;
}

const isPending = ({ state }: Erasure__Output): boolean => state === 'ERASURE_STATE_PENDING';

/** What an order waits for, in words. */
function pendingText({ pending }: Erasure__Output): string {
  const { spools = [], spoolCount = '0', unreadableDeadLetters = '0', waitingFeedback = '0', document } = pending ?? {};
  const parts: string[] = [];
  if (Number(spoolCount) > 0) {
    const named = spools
      .slice(0, 3)
      .map(({ routerId, spoolId, lastSeenAt }) => `${routerId} (${spoolId}, last heard of ${showTime(lastSeenAt)})`);
    const more = Number(spoolCount) - named.length;
    parts.push(`the spool of ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`);
  }
  if (Number(unreadableDeadLetters) > 0)
    parts.push(`${plural(Number(unreadableDeadLetters), 'dead letter')} that nobody can read`);
  if (Number(waitingFeedback) > 0)
    parts.push(`${plural(Number(waitingFeedback), 'text')} of feedback whose prediction is not there yet`);
  if (document === true) parts.push('the artifact store');
  return parts.length === 0 ? 'the order to be noted as done' : parts.join('; ');
}

function erasureText(erasure: Erasure__Output): string {
  const { erasureId, number, state, subjectHash, reason, actor, orderedAt, doneAt, keysDestroyed, exports } = erasure;
  const fields = showFields([
    ['erasure', erasureId],
    ['number', number],
    ['state', showEnum(state, 'ERASURE_STATE')],
    ['subject', `${subjectHash.slice(0, 16)}… (keyed hash)`],
    ['reason', reason],
    ['by', actor],
    ['ordered', showTime(orderedAt)],
    ['done', doneAt ? showTime(doneAt) : undefined],
    ['keys', keysDestroyed],
    ['pending', isPending(erasure) ? pendingText(erasure) : undefined],
  ]);
  if (exports.length === 0) return fields;
  const rows = exports.map(({ dataSet, version, digest, exportedAt }) => [
    ...[version === '0' ? dataSet || '-' : `${dataSet}@${version}`, digest, showTime(exportedAt)],
  ]);
  return `${fields}\nExports that have payloads of the subject, which nobody can take back:\n${showTable(['DATA SET', 'SHA-256 OF THE FILE', 'EXPORTED'], rows)}`;
}

function erasuresText(erasures: readonly Erasure__Output[]): string {
  const rows = erasures.map(({ number, erasureId, state, orderedAt, actor, reason }) => [
    ...[number, erasureId, showEnum(state, 'ERASURE_STATE'), showTime(orderedAt), actor, reason],
  ]);
  return showTable(['NUMBER', 'ERASURE', 'STATE', 'ORDERED', 'BY', 'REASON'], rows);
}

function spoolsText(spools: readonly Spool__Output[]): string {
  const rows = spools.map(({ spoolId, routerId, lastSeenAt, erasuresApplied, forgottenAt }) => [
    ...[spoolId, routerId, showTime(lastSeenAt), erasuresApplied, forgottenAt ? showTime(forgottenAt) : ''],
  ]);
  return showTable(['SPOOL', 'ROUTER', 'LAST HEARD OF', 'ERASURES FOLLOWED', 'FORGOTTEN'], rows);
}
