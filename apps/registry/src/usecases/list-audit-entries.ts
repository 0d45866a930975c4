import { invalidArgument } from '@sluice/domain/errors';
import type { AuditEntry } from '../audit/entry.ts';
import type { AuditLog } from './audit-log.ts';

export interface ListAuditEntriesRequest {
  /** Where to begin; undefined is the first entry, or the last when descending. */
  readonly from: number | undefined;
  /** At most 1,000; 0 means 100. */
  readonly pageSize: number;
  /** Only entries of this object and those below it; '' for all. */
  readonly object: string;
  readonly descending: boolean;
}

export interface AuditEntryPage {
  readonly entries: readonly AuditEntry[];
  /** Where the next page begins; undefined when there is none. */
  readonly next: number | undefined;
}

/** A page of the log by leaf index. Errors: `invalid-argument` for a page that is too large. */
export async function listAuditEntries(log: AuditLog, request: ListAuditEntriesRequest): Promise<AuditEntryPage> {
  const limit = request.pageSize === 0 ? 100 : request.pageSize;
  if (limit > 1000) throw invalidArgument(`page_size: ${limit} given; expected at most 1,000`);
  const { descending } = request;
  const from = request.from ?? (descending ? Number.MAX_SAFE_INTEGER : 0);
  // A trailing slash is the same object: people complete paths with it.
  const object = request.object.replace(/\/+$/, '');
  return log.read(async (reads) => {
    const entries = await reads.entries({ from, limit, object, descending });
    const last = entries.at(-1);
    const after = last && last.leafIndex + (descending ? -1 : 1);
    if (after === undefined || after < 0) return { entries, next: undefined };
    const [more] = await reads.entries({ from: after, limit: 1, object, descending });
    return { entries, next: more?.leafIndex };
  });
}
