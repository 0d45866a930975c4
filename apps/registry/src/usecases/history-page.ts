import { pageSize, pageToken, readPageToken } from './page.ts';
import type { AliasHistoryEntry, AliasMove } from './records.ts';

/** Which page of a history is asked for. */
export interface HistoryPageRequest {
  /** Revisions on a page; 0 means 100. */
  readonly pageSize: number;
  /** '' for the first page, which has the newest. */
  readonly pageToken: string;
}

export interface HistoryPage {
  /** Oldest first. */
  readonly entries: readonly AliasHistoryEntry[];
  /** Newest first. */
  readonly moves: readonly AliasMove[];
  /** '' when nothing is older. */
  readonly nextPageToken: string;
}

/** Those with a revision below `before`, newest first, at most `limit`. */
export interface HistoryQuery {
  readonly before: number;
  readonly limit: number;
}

/** So many of the newest. */
export const newest = (limit: number): HistoryQuery => ({ before: Number.MAX_SAFE_INTEGER, limit });

export interface HistoryReads {
  entries(query: HistoryQuery): Promise<readonly AliasHistoryEntry[]>;
  moves(query: HistoryQuery): Promise<readonly AliasMove[]>;
}

/** What is read at once, and text of a page after which it ends: the reasons of a move may be long. */
const readAtOnce = 50;
const fullPageCharacters = 8 * 1024 * 1024;

interface Step {
  readonly revision: number;
  readonly entry?: AliasHistoryEntry;
  readonly move?: AliasMove;
}

/** A page of stretches and moves by revision, newest first; shorter than asked for when they are large. */
export async function readHistoryPage(request: HistoryPageRequest, reads: HistoryReads): Promise<HistoryPage> {
  const limit = pageSize(request.pageSize);
  let before = readPageToken<number>(request.pageToken, Number.MAX_SAFE_INTEGER);
  const page: Step[] = [];
  const answer = (nextPageToken: string): HistoryPage => ({
    entries: page.flatMap(({ entry }) => entry ?? []).reverse(),
    moves: page.flatMap(({ move }) => move ?? []),
    nextPageToken,
  });
  for (let revisions = 0, characters = 0; ;) {
    const { steps, isLast } = await readSteps(reads, before);
    for (const group of Map.groupBy(steps, ({ revision }) => revision).values()) {
      // One more than fits says that there is another page. What has one revision stays together.
      if (revisions === limit || characters > fullPageCharacters) return answer(pageToken(before));
      page.push(...group);
      before = group[0]!.revision;
      revisions += 1;
      characters += JSON.stringify(group).length;
    }
    if (isLast) return answer('');
  }
}

/** The newest of both kinds below a revision, as far down as both were read. */
async function readSteps(reads: HistoryReads, before: number): Promise<{ steps: readonly Step[]; isLast: boolean }> {
  const query = { before, limit: readAtOnce };
  const entries = (await reads.entries(query)).map((entry): Step => ({ revision: entry.revision, entry }));
  const moves = (await reads.moves(query)).map((move): Step => ({ revision: move.requestedRevision, move }));
  const down = (steps: readonly Step[]): number => (steps.length < readAtOnce ? -1 : steps.at(-1)!.revision);
  const floor = Math.max(down(entries), down(moves));
  const steps = [...entries, ...moves].filter(({ revision }) => revision >= floor);
  return { steps: steps.sort((left, right) => right.revision - left.revision), isLast: floor < 0 };
}
