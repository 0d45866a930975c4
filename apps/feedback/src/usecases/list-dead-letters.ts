import type { DeadLetters, DeadLetterSummary } from './dead-letters.ts';
import { readReason } from './dead-letters.ts';
import { pageSize, pageToken, readPageToken } from './page.ts';

export interface ListDeadLetters {
  /** 0 means 100. */
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
  /** Empty for all. */
  readonly reason: string;
}

/** A page of dead letters, in the order in which they came. */
export async function listDeadLetters(
  letters: DeadLetters,
  request: ListDeadLetters,
): Promise<{ readonly deadLetters: readonly DeadLetterSummary[]; readonly nextPageToken: string }> {
  const { reason } = request;
  if (reason !== '') readReason(reason);
  const limit = pageSize(request.pageSize);
  const found = await letters.list({ after: readPageToken(request.pageToken), limit: limit + 1, reason });
  const deadLetters = found.slice(0, limit);
  return { deadLetters, nextPageToken: found.length > limit ? pageToken(deadLetters.at(-1)!.id) : '' };
}
