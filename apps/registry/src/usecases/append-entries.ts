import { failedPrecondition, invalidArgument } from '@sluice/domain/errors';
import { isActor, isVisibleName } from '@sluice/domain/model';
import { clip } from '@sluice/domain/names';
import { canonicalJson } from '../audit/canonical-json.ts';
import { parseJsonObject } from './json-text.ts';

/**
 * Services that have an outbox. Their name comes before their actions, so that no entry of theirs can be taken for one
 * of the registry's own.
 */
const sources: readonly string[] = ['feedback'];

const maxEntries = 500;
const maxDetails = 65_536;

/** An entry as another service has it in its outbox. */
export interface SourceEntry {
  readonly sequence: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly detailsJson: string;
  /** Milliseconds since the epoch, by the clock of the source. */
  readonly recordedAt: number;
}

/** What an entry of another service is in the log. */
export interface SourceLeaf {
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface AppendedLeaf {
  readonly leafIndex: number;
  /** The entry's. */
  readonly canonicalJson: string;
}

/** What the log has of one source, under the audit lock. */
export interface SourceReads {
  /** The first sequence that is not in the log. */
  next(): Promise<number>;
  /** The entries of these sequences, from `first` to before `end`, in order. */
  appended(first: number, end: number): Promise<readonly AppendedLeaf[]>;
}

/** The part of the audit log that belongs to other services. */
export interface SourceLogs {
  /**
   * Runs `decide` under the audit lock and appends what it gives, from `next` on, with the position in one transaction.
   * Gives the leaf index of the first that was appended and what `decide` gave. `unavailable` while Postgres is away.
   */
  append<T>(
    source: string,
    decide: (reads: SourceReads) => Promise<{ readonly fresh: readonly SourceLeaf[]; readonly result: T }>,
  ): Promise<{ readonly firstLeaf: number; readonly result: T }>;
}

export interface AppendedEntries {
  readonly nextSequence: number;
  /** Of all entries of the request, in their order. */
  readonly leafIndexes: readonly number[];
}

/**
 * Appends entries of another service's outbox, each once and in order. What is there already is skipped, so that a
 * relay that did not hear the answer sends again. Errors: `invalid-argument` naming the field; `failed-precondition`
 * naming the sequence for a gap, and for an entry that is not what was appended under its sequence.
 */
export async function appendEntries(
  logs: SourceLogs,
  source: string,
  entries: readonly SourceEntry[],
): Promise<AppendedEntries> {
  if (!sources.includes(source))
    throw invalidArgument(`source: "${clip(source)}" given; expected ${sources.join(' or ')}`);
  if (entries.length > maxEntries)
    throw invalidArgument(`entries: ${entries.length} given; at most ${maxEntries} at once`);
  const leaves = entries.map((entry, index) => toLeaf(source, entry, `entries[${index}]`, entries[index - 1]));
  const { firstLeaf, result } = await logs.append(source, async (reads) => {
    const next = await reads.next();
    const first = entries[0]?.sequence ?? next;
    if (first > next)
      throw failedPrecondition(`${source} sequence ${first} was sent; expected ${next}, which is missing`);
    const present = await reads.appended(first, Math.min(first + leaves.length, next));
    present.forEach((leaf, at) => checkSame(source, first + at, leaf, leaves[at]!));
    const fresh = leaves.slice(present.length);
    return { fresh, result: { present, nextSequence: next + fresh.length } };
  });
  const { present, nextSequence } = result;
  return {
    nextSequence,
    leafIndexes: leaves.map((_, at) => present[at]?.leafIndex ?? firstLeaf + at - present.length),
  };
}

function toLeaf(source: string, entry: SourceEntry, field: string, before: SourceEntry | undefined): SourceLeaf {
  const { sequence, actor, object } = entry;
  if (sequence < 1) throw invalidArgument(`${field}.sequence: ${sequence} given; sequences begin at 1`);
  if (before && sequence !== before.sequence + 1)
    throw invalidArgument(`${field}.sequence: ${sequence} given after ${before.sequence}; expected no gap`);
  if (!isActor(actor))
    throw invalidArgument(`${field}.actor: expected a name of 1 to 128 visible characters, not the registry's own`);
  if (!isVisibleName(object, 512)) throw invalidArgument(`${field}.object: expected 1 to 512 visible characters`);
  const details = parseJsonObject(entry.detailsJson, `${field}.details_json`, maxDetails);
  return {
    ...{ actor, object, action: `${source}.${toAction(entry.action, `${field}.action`)}` },
    body: { source, sequence, recorded_at: new Date(entry.recordedAt).toISOString(), details },
  };
}

/** The log's form of an action: `ReadPayloads` is `read_payloads`. */
function toAction(action: string, field: string): string {
  if (action.length <= 64) {
    if (/^([A-Z][a-z0-9]+)+$/.test(action)) return action.replaceAll(/(?<=.)[A-Z]/g, '_$&').toLowerCase();
    if (/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/.test(action)) return action;
  }
  throw invalidArgument(
    `${field}: "${clip(action)}" given; expected at most 64 characters: the name of a call, such as ReadPayloads, or words joined by dots, such as subject.erased`,
  );
}

function checkSame(source: string, sequence: number, there: AppendedLeaf, leaf: SourceLeaf): void {
  const { actor, action, object, body } = JSON.parse(there.canonicalJson) as SourceLeaf;
  if (canonicalJson({ actor, action, object, body }) === canonicalJson(leaf)) return;
  throw failedPrecondition(
    `${source} sequence ${sequence} says something else than entry ${there.leafIndex} of the audit log, which was appended for it; its outbox may have been put back from a backup`,
  );
}
