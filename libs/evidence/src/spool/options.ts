import { invalidArgument } from '@sluice/domain/errors';
import { frameOverhead } from './frame.ts';
import { keyBytes } from './segment-key.ts';
import type { KeyEncryptionKey } from './segment-key.ts';

const mebi = 2 ** 20;

export interface SpoolOptions {
  /** Where it lies; made where it is not there. One process has it at a time. */
  readonly folder: string;
  /** Wraps the keys of new segments. */
  readonly key: KeyEncryptionKey;
  /** Keys of former times, by which segments that are still there may be wrapped. None by default. */
  readonly formerKeys?: readonly KeyEncryptionKey[];
  /** Bytes that the files in the folder have together, at most. 1 GiB by default; at least four segments. */
  readonly maxBytes?: number;
  /** Bytes of a segment, which are made ahead. A block that is larger has no room. 16 MiB by default, 256 MiB at most. */
  readonly segmentBytes?: number;
  /** Milliseconds after which best-effort blocks are written and synced at the latest. 200 by default; 0: in the same turn. */
  readonly flushMs?: number;
  /** Bytes that wait for that at most before they are written. 256 KiB by default. */
  readonly flushBytes?: number;
  /** Bytes that wait to be written, or are being written, above which best-effort blocks are dropped. 8 MiB by default. */
  readonly bufferBytes?: number;
  /** Milliseconds after which a segment ends, full or not, so that it can go when it is acknowledged. 10 minutes by default. */
  readonly segmentMs?: number;
  /** Milliseconds between attempts at what the disk refused. 1 s by default. */
  readonly retryMs?: number;
}

/** Options with all their values. */
export interface SpoolSettings extends Required<SpoolOptions> {
  /** All keys that open, the one for new segments first. */
  readonly keys: readonly KeyEncryptionKey[];
}

/** Largest segment: one is read whole at a start. */
export const maxSegmentBytes = 256 * mebi;
const leastSegmentBytes = 1024;

/** @throws SluiceError invalid-argument that names all that is wrong */
export function compileOptions(options: SpoolOptions): SpoolSettings {
  const settings = {
    ...{ formerKeys: [], maxBytes: 1024 * mebi, segmentBytes: 16 * mebi, flushMs: 200, flushBytes: mebi / 4 },
    ...{ bufferBytes: 8 * mebi, segmentMs: 600_000, retryMs: 1000 },
    ...options,
  };
  const problems = [...problemsOfNumbers(settings), ...problemsOfKeys([settings.key, ...settings.formerKeys])];
  if (problems.length > 0) throw invalidArgument(`spool: ${problems.join('; ')}`);
  return { ...settings, keys: [settings.key, ...settings.formerKeys] };
}

function problemsOfNumbers(settings: Required<SpoolOptions>): string[] {
  const { segmentBytes, maxBytes } = settings;
  const least = {
    flushMs: 0,
    flushBytes: 1,
    bufferBytes: 1,
    segmentMs: 1,
    retryMs: 1,
    segmentBytes: leastSegmentBytes,
  };
  const problems = Object.entries(least)
    .map(([name, from]) => ({ name, from, value: settings[name as keyof typeof least] }))
    .filter(({ value, from }) => !(Number.isSafeInteger(value) && value >= from))
    .map(({ name, from, value }) => `${name} must be a whole number from ${from} up, not ${value}`);
  if (segmentBytes > maxSegmentBytes)
    problems.push(`segmentBytes must be at most ${maxSegmentBytes}, not ${segmentBytes}`);
  if (!(Number.isSafeInteger(maxBytes) && maxBytes >= 4 * segmentBytes)) {
    problems.push(`maxBytes must be a whole number of at least four segments (${4 * segmentBytes}), not ${maxBytes}`);
  }
  return problems;
}

function problemsOfKeys(keys: readonly KeyEncryptionKey[]): string[] {
  const problems: string[] = [];
  for (const { id, key } of keys) {
    const length = Buffer.byteLength(id);
    if (length < 1 || length > 64) problems.push(`the id of a key must have 1 to 64 bytes, not ${length}`);
    if (key.length !== keyBytes) problems.push(`key '${id}' must have ${keyBytes} bytes, not ${key.length}`);
  }
  if (new Set(keys.map(({ id }) => id)).size < keys.length) problems.push('two keys have the same id');
  return problems;
}

/** Bytes of the largest block that a spool of these settings takes: its segment has a mark, too. */
export const maxBlockBytes = ({ segmentBytes }: Pick<SpoolSettings, 'segmentBytes'>): number =>
  segmentBytes - 2 * frameOverhead;
