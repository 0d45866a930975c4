import type { AuditEntry__Output } from '@sluice/contracts/gen/sluice/registry/v1/AuditEntry';
import type { AuditVerdict__Output } from '@sluice/contracts/gen/sluice/registry/v1/AuditVerdict';
import { type CliContext, show } from '../context.ts';
import { startBar } from '../push/progress-bar.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { plural, showTable, showTime } from '../format.ts';

/** `sluice audit verify` */
export async function verifyAudit(context: CliContext): Promise<void> {
  const verdict = await readVerdict(context);
  show(context, verdict, () =>
    verdict.ok
      ? `the audit log is whole: ${verdict.treeSize} entries, ${verdict.checkpointsChecked} checkpoints, ` +
        `root ${Buffer.from(verdict.rootHash).toString('hex')}`
      : ['the audit log does NOT verify:', ...verdict.problems.map((problem) => `  ${problem}`)].join('\n'),
  );
  if (!verdict.ok) {
    throw new CliError(
      exitCodes.failed,
      `${plural(verdict.problems.length, 'problem')} in the audit log`,
      'Entries were changed outside the registry. Keep the database as it is and compare it with a backup.',
    );
  }
}

async function readVerdict(context: CliContext): Promise<AuditVerdict__Output> {
  let bar: ReturnType<typeof startBar> | undefined;
  let checked = 0;
  try {
    for await (const update of context.services.audit.verifyAudit({}, { signal: context.signal })) {
      if (update.verdict) return update.verdict;
      bar ??= startBar(context, 'verifying', Number(update.total));
      bar.add(Number(update.checked) - checked);
      checked = Number(update.checked);
    }
  } finally {
    bar?.stop();
  }
  throw new CliError(
    exitCodes.failed,
    'the registry ended the check without a verdict',
    'Try again; its log says why.',
  );
}

export interface AuditQuery {
  /** Only entries of this object and of those below it. */
  readonly object: string;
  /** Newest entries that are shown. */
  readonly limit: number;
  /** Shows what was hashed, too. */
  readonly full: boolean;
}

/** `sluice audit show [OBJECT]`: the newest entries, oldest first. */
export async function showAudit(context: CliContext, query: AuditQuery): Promise<void> {
  const entries: AuditEntry__Output[] = [];
  let fromIndex: string | undefined;
  while (entries.length < query.limit) {
    const page = await context.services.audit.listAuditEntries(
      {
        descending: true,
        objectPrefix: query.object,
        pageSize: Math.min(1000, query.limit - entries.length),
        ...(fromIndex === undefined ? {} : { fromIndex }),
      },
      { signal: context.signal },
    );
    entries.push(...page.entries);
    if (page._nextIndex === undefined || page.nextIndex === undefined || page.entries.length === 0) break;
    fromIndex = page.nextIndex;
  }
  entries.reverse();
  show(context, entries, () => (query.full ? entries.map(showEntry).join('\n\n') : showEntries(entries)));
}

function showEntries(entries: readonly AuditEntry__Output[]): string {
  if (entries.length === 0) return 'no entries';
  return showTable(
    ['index', 'time', 'by', 'action', 'object'],
    entries.map((entry) => [entry.leafIndex, showTime(entry.effectiveAt), entry.actor, entry.action, entry.object]),
  );
}

function showEntry(entry: AuditEntry__Output): string {
  const hash = Buffer.from(entry.leafHash).toString('hex');
  const head = `${entry.leafIndex}  ${showTime(entry.effectiveAt)}  ${entry.actor} (${entry.actorKind})  ${entry.action}  ${entry.object}`;
  return `${head}\n  ${hash}\n  ${entry.canonicalJson}`;
}

/** `sluice audit key`: the public key, as PEM on standard output. */
export async function showAuditKey(context: CliContext): Promise<void> {
  const key = await context.services.audit.getAuditKey({}, { signal: context.signal });
  if (!context.json) context.terminal.note(`key ${key.keyId}`);
  show(context, key, () => key.publicKeyPem.trimEnd());
}
