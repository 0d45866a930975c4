import type { Clock } from '@sluice/domain/clock';
import { invalidArgument } from '@sluice/domain/errors';
import type { Retention } from '../evidence/days.ts';
import type { EvidenceStore } from '../ingest/batch.ts';
import type { KnownVersions } from '../ingest/known-versions.ts';
import { SortedBlocks } from '../ingest/sort-blocks.ts';
import { Pace } from '../pace.ts';
import type { DeadLetters, KeptDeadLetter } from './dead-letters.ts';
import { mostPerPage, pageSize, pageToken, readPageToken } from './page.ts';

export interface ReplayPorts {
  readonly letters: DeadLetters;
  readonly store: EvidenceStore;
  readonly versions: Pick<KnownVersions, 'isKnown' | 'resolve'>;
  readonly clock: Clock;
  readonly retention: Retention;
}

export interface ReplayDeadLetters {
  /** Without any: all, a page at a time. */
  readonly ids: readonly number[];
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface Replayed {
  readonly replayed: number;
  readonly failed: number;
  /** Ids that are of no dead letter. */
  readonly missingIds: readonly number[];
  readonly nextPageToken: string;
}

/** Tries dead letters again, one after the other. Throws when `signal` aborts; what it did by then is done. */
export async function replayDeadLetters(
  ports: ReplayPorts,
  request: ReplayDeadLetters,
  signal: AbortSignal,
): Promise<Replayed> {
  const { ids, nextPageToken } = await chosen(ports.letters, request);
  let [replayed, failed] = [0, 0];
  const missingIds: number[] = [];
  for (const id of ids) {
    signal.throwIfAborted();
    const letter = await ports.letters.read(id);
    if (!letter) missingIds.push(id);
    else if (await replay(ports, letter)) replayed += 1;
    else failed += 1;
  }
  return { replayed, failed, missingIds: request.ids.length === 0 ? [] : missingIds, nextPageToken };
}

async function chosen(
  letters: DeadLetters,
  { ids, pageSize: size, pageToken: token }: ReplayDeadLetters,
): Promise<{ readonly ids: readonly number[]; readonly nextPageToken: string }> {
  if (ids.length > mostPerPage) throw invalidArgument(`ids: ${ids.length} given; expected at most ${mostPerPage}`);
  if (ids.length > 0) return { ids: [...new Set(ids)], nextPageToken: '' };
  const limit = pageSize(size);
  const found = await letters.ids(readPageToken(token), limit + 1);
  const page = found.slice(0, limit);
  return { ids: page, nextPageToken: found.length > limit ? pageToken(page.at(-1)!) : '' };
}

/** Whether it is stored now. What failed again is noted by the write: the same bytes are the same dead letter. */
async function replay({ letters, store, versions, clock, retention }: ReplayPorts, letter: KeptDeadLetter) {
  const batch = new SortedBlocks(retention, clock.now());
  await batch.add({ origin: letter.origin, block: letter.bytes }, new Pace(clock));
  await versions.resolve(batch.contexts);
  const { dead } = await store.write(batch, versions.isKnown);
  // A block that can be read now has become its records, and a dead letter for each that cannot be stored. One of the same bytes is
  // this one, whatever it counts as now: a record of a layout that is not known here is a block that cannot be read.
  if (dead.some((each) => each.kind === letter.kind || Buffer.compare(each.bytes, letter.bytes) === 0)) return false;
  await letters.remove([letter.id]);
  return true;
}
