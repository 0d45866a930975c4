import { randomFillSync } from 'node:crypto';
import { BlockWriter } from '@sluice/evidence/block-writer';
import { emptyDraft, type RecordDraft } from '@sluice/evidence/draft';
import { EncodedContext } from '@sluice/evidence/encoded-context';
import type { EvidenceContext } from '@sluice/evidence/record';

/** What the records of a platform's model look like. */
export interface RecordSample {
  readonly model: string;
  readonly version: number;
  readonly versionDigest: string;
  /** An answer, as the router has captured it. */
  readonly response: Uint8Array;
}

/** A time that ids are of: milliseconds since the epoch. */
export interface Slot {
  readonly fromMs: number;
  readonly spanMs: number;
}

export interface RecordsOptions {
  readonly count: number;
  readonly slot: Slot;
  /** Records are of so many subjects in turn; 0: of none. Payloads of subjects are encrypted, each under a key of its own. */
  readonly subjects: number;
  /** Default `standard`. */
  readonly retentionClass?: string;
}

/** Blocks as routers send them, and the ids of their records. */
export interface Records {
  readonly blocks: readonly Uint8Array[];
  readonly ids: readonly string[];
}

/** Of a block; a router sends them up to this size under load. */
const blockBytes = 128 * 1024;

/** Makes the records of a model with two arms, as the router makes them by default: facts and the response. */
export function makeRecords(sample: RecordSample, options: RecordsOptions): Records {
  const { count, slot, subjects, retentionClass = 'standard' } = options;
  const arms = ['first', 'second'].map((arm) => new EncodedContext(contextOf(sample, arm, retentionClass)));
  const writer = new BlockWriter(blockBytes);
  const timings = { queueMicros: 120, runMicros: 300, totalMicros: 500, batchRows: 16, costMicros: 18.75 };
  const [blocks, ids] = [[] as Uint8Array[], [] as string[]];
  const next = (): void => {
    blocks.push(Uint8Array.from(writer.block));
    writer.clear();
  };
  for (let row = 0; row < count; row++) {
    const receivedMs = slot.fromMs + (slot.spanMs * row) / count;
    const predictionId = uuidV7(receivedMs);
    const draft: RecordDraft = {
      ...emptyDraft(arms[row % arms.length]!),
      ...{
        predictionId,
        receivedMs,
        answered: true,
        reason: 'weight',
        timings,
        rows: 1,
        sentMicros: 40,
        endedMicros: 900,
      },
      ...{ inputHash: '\u0011'.repeat(32), runtime: 'runtime-1', caller: 'bench', requestId: `request-${row}` },
      ...{ subject: subjects === 0 ? '' : `subject-${row % subjects}` },
      ...{ responseState: 'captured', response: [sample.response] },
    };
    ids.push(predictionId);
    if (!writer.append(draft)) {
      next();
      writer.append(draft);
    }
  }
  if (writer.records > 0) next();
  return { blocks, ids };
}

/** What the records of so many requests take in a block. */
export function bytesOf(sample: RecordSample, count: number): number {
  const { blocks } = makeRecords(sample, { count, slot: { fromMs: 0, spanMs: 1 }, subjects: 0 });
  return blocks.reduce((sum, { length }) => sum + length, 0);
}

function contextOf(
  { model, version, versionDigest }: RecordSample,
  arm: string,
  retentionClass: string,
): EvidenceContext {
  return {
    ...{ model, version, versionDigest, releaseId: 'bench', seedId: 'bench', policyVersion: 0 },
    ...{ arm, servedArm: arm, role: arm === 'first' ? 'primary' : 'candidate', propensity: 0.5, retentionClass },
  };
}

/** Random bytes of many ids: asking for those of one costs more than an id. */
const pool = Buffer.alloc(16 * 1024);
let used = pool.length;

/** A UUID of version 7 with a time of its own, and the rest at random. */
export function uuidV7(ms: number): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, (used += 16));
  bytes.writeUIntBE(Math.floor(ms), 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The same id at another time. */
export function movedId(id: string, byMs: number): string {
  const hex = id.replaceAll('-', '');
  const moved = (parseInt(hex.slice(0, 12), 16) + byMs).toString(16).padStart(12, '0');
  return `${moved.slice(0, 8)}-${moved.slice(8)}${id.slice(13)}`;
}
