import { invalidArgument } from '@sluice/domain/errors';
import type { DeadLetters } from './dead-letters.ts';
import { readReason } from './dead-letters.ts';
import { mostPerPage } from './page.ts';

export interface DeleteDeadLetters {
  readonly ids: readonly number[];
  /** Empty with ids. */
  readonly reason: string;
}

export interface Deleted {
  readonly deleted: number;
  /** Ids that are of no dead letter. */
  readonly missingIds: readonly number[];
}

/** Deletes dead letters for good. Throws when `signal` aborts; what it did by then is done. */
export async function deleteDeadLetters(
  letters: DeadLetters,
  { ids, reason }: DeleteDeadLetters,
  signal: AbortSignal,
): Promise<Deleted> {
  if (ids.length > mostPerPage) throw invalidArgument(`ids: ${ids.length} given; expected at most ${mostPerPage}`);
  if (ids.length > 0 === (reason !== ''))
    throw invalidArgument('ids: expected some, or a reason all of whose dead letters are to be deleted, and not both');
  if (reason !== '') return { deleted: await deleteAll(letters, reason, signal), missingIds: [] };
  const gone = new Set(await letters.remove(ids));
  return { deleted: gone.size, missingIds: [...new Set(ids)].filter((id) => !gone.has(id)) };
}

/** Those that are there now: others may come as fast as these go. */
async function deleteAll(letters: DeadLetters, text: string, signal: AbortSignal): Promise<number> {
  const reason = readReason(text);
  const last = await letters.lastId();
  for (let deleted = 0; ;) {
    signal.throwIfAborted();
    const ids = await letters.idsOf(reason, last, mostPerPage);
    if (ids.length === 0) return deleted;
    deleted += (await letters.remove(ids)).length;
  }
}
