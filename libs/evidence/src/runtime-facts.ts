import type { RuntimeTimings } from './record.ts';

/** What a runtime says of a request beside its answer or failure: its part of a record. */
export interface RuntimeFacts extends RuntimeTimings {
  /** Rows of the request; 0 where it failed before they were counted. */
  readonly rows: number;
}

/** The version of the layout below, its first octet. What is added at the end is ignored by those who do not know it; any other change is another version. */
const layoutVersion = 1;

/** Offsets of the fields. Numbers are little-endian: the cost is a float of 32 bits, as in a record, all others are unsigned. */
const at = {
  version: 0,
  queueMicros: 1,
  runMicros: 5,
  totalMicros: 9,
  batchRows: 13,
  costMicros: 17,
  rows: 21,
} as const;

/** Octets that facts have. */
export const runtimeFactsBytes = 25;

const maxUint32 = 0xffff_ffff;

/**
 * Writes facts into the first octets of a buffer. Whole numbers are rounded down, and those that are too large for their
 * place (71 minutes, in microseconds) stand as the largest that is not.
 *
 * @param into `runtimeFactsBytes` or more; new memory unless given
 * @returns what was written, where it lies: `into` itself when it has no more than that
 */
export function encodeRuntimeFacts(
  facts: RuntimeFacts,
  into: Buffer = Buffer.allocUnsafe(runtimeFactsBytes),
): Uint8Array {
  into[at.version] = layoutVersion;
  into.writeUInt32LE(count(facts.queueMicros), at.queueMicros);
  into.writeUInt32LE(count(facts.runMicros), at.runMicros);
  into.writeUInt32LE(count(facts.totalMicros), at.totalMicros);
  into.writeUInt32LE(count(facts.batchRows), at.batchRows);
  into.writeFloatLE(facts.costMicros, at.costMicros);
  into.writeUInt32LE(count(facts.rows), at.rows);
  return into.length === runtimeFactsBytes ? into : into.subarray(0, runtimeFactsBytes);
}

/**
 * Reads facts.
 *
 * @returns undefined where they are of another version of the layout, or are none
 */
export function decodeRuntimeFacts(bytes: Uint8Array | undefined): RuntimeFacts | undefined {
  if (bytes === undefined || bytes.length < runtimeFactsBytes || bytes[at.version] !== layoutVersion) return undefined;
  const read = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const costMicros = read.getFloat32(at.costMicros, true);
  return {
    queueMicros: read.getUint32(at.queueMicros, true),
    runMicros: read.getUint32(at.runMicros, true),
    totalMicros: read.getUint32(at.totalMicros, true),
    batchRows: read.getUint32(at.batchRows, true),
    // They come from another process: what is no cost must not get into sums of costs.
    costMicros: costMicros >= 0 && costMicros < Infinity ? costMicros : 0,
    rows: read.getUint32(at.rows, true),
  };
}

/** A whole number that fits. */
function count(value: number): number {
  return value >= maxUint32 ? maxUint32 : value > 0 ? Math.floor(value) : 0;
}
