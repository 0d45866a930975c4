import { crc32 } from 'node:zlib';
import type { Position } from '@sluice/tabular/reader';
import type { Written } from '@sluice/tabular/writer';

/** What a run is of. A later run goes on with it only when all of this is the same. */
export interface RunIdentity {
  readonly model: string;
  /** As it was asked for: a number, an alias, or ''. */
  readonly asked: string;
  readonly input: {
    readonly sha256: string;
    readonly bytes: number;
    readonly format: string;
    readonly header: boolean;
  };
  readonly output: {
    readonly format: string;
    readonly columns: readonly string[];
    readonly outputs: readonly string[];
  };
  /** Rows that are read; null for all. */
  readonly limit: number | null;
}

export interface RunHeader {
  readonly kind: 'run';
  readonly identity: RunIdentity;
  /** The number of the version that scores. */
  readonly version: string;
}

/** All rows before `after` are in the files, which have at least these lengths. */
export interface Checkpoint {
  readonly kind: 'checkpoint';
  readonly after: Position;
  readonly output: Written;
  readonly rejects: { readonly rows: number; readonly bytes: number };
}

/** The output is whole: what is left is to give it its name, and to register it. */
export interface Finished {
  readonly kind: 'finished';
  readonly rowsRead: number;
  readonly output: { readonly rows: number; readonly bytes: number; readonly sha256: string };
  readonly rejects: { readonly rows: number; readonly bytes: number };
}

export type JournalRecord = RunHeader | Checkpoint | Finished;

/** What an earlier run has left. */
export interface Journal {
  readonly header: RunHeader;
  readonly checkpoints: readonly Checkpoint[];
  readonly finished: Finished | undefined;
  /** Bytes of its whole lines: what follows was being written when the run ended. */
  readonly bytes: number;
}

/** A record as a line with its checksum. */
export function encodeRecord(record: JournalRecord): string {
  const json = JSON.stringify(record);
  return `${json} ${checksum(json)}\n`;
}

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0');

/** Whether there is something to go on with. */
export const hasBegun = (journal: Journal): boolean => journal.checkpoints.length > 0 || journal.finished !== undefined;

/** Reads a journal up to the first line that is not whole; undefined when not even the first one is. */
export function decodeJournal(text: string): Journal | undefined {
  const records: JournalRecord[] = [];
  let bytes = 0;
  for (let from = 0, end = text.indexOf('\n'); end >= 0; from = end + 1, end = text.indexOf('\n', from)) {
    const line = text.slice(from, end);
    const json = line.slice(0, -9);
    if (line !== `${json} ${checksum(json)}`) break;
    records.push(JSON.parse(json) as JournalRecord);
    bytes += Buffer.byteLength(line) + 1;
  }
  const [header] = records;
  if (header?.kind !== 'run') return undefined;
  return {
    header,
    checkpoints: records.filter((record) => record.kind === 'checkpoint'),
    finished: records.find((record) => record.kind === 'finished'),
    bytes,
  };
}

/** In what two runs differ, for people; '' for nothing. */
export function differenceOf(before: RunIdentity, now: RunIdentity): string {
  const words = (value: unknown): string => JSON.stringify(value);
  if (before.input.sha256 !== now.input.sha256)
    return `the input is another: it had ${before.input.bytes} bytes (sha256 ${before.input.sha256.slice(0, 12)}…), now ${now.input.bytes} (${now.input.sha256.slice(0, 12)}…)`;
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['the model', before.model, now.model],
    ['--model-version', before.asked, now.asked],
    ['the input format', before.input.format, now.input.format],
    ['the heading', before.input.header, now.input.header],
    ['the output format', before.output.format, now.output.format],
    ['--columns', before.output.columns, now.output.columns],
    ['--outputs', before.output.outputs, now.output.outputs],
    ['--limit', before.limit, now.limit],
  ];
  const other = pairs.find(([, one, two]) => words(one) !== words(two));
  return other ? `${other[0]} was ${words(other[1])}, now ${words(other[2])}` : '';
}
