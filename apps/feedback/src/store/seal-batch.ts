import type { PoolClient } from 'pg';
import type { EvidenceRecord } from '@sluice/evidence/record';
import { dayOf, idTime } from '../evidence/days.ts';
import type { DeadLetter } from '../evidence/item.ts';
import { withoutPayloads } from '../evidence/solo-block.ts';
import type { Batch } from '../ingest/batch.ts';
import { seal } from '../payloads/aead.ts';
import type { KeyRing } from '../payloads/key-ring.ts';
import { deadLetterContext, evidenceContext } from '../payloads/payload-context.ts';
import { isReadableSubject } from '../payloads/subject.ts';
import type { RowPayloads } from './copy-rows.ts';
import type { LetterBytes } from './dead-letter-store.ts';
import type { KeyDemand, SubjectKey } from './subject-keys.ts';
import { isErased, takeKeys } from './subject-keys.ts';

interface SealedRow {
  readonly keyId: string | undefined;
  readonly payloads: RowPayloads;
}

/** What is stored of records and dead letters instead of what came: payloads of subjects are encrypted, or are not there. */
export interface SealedBatch {
  /** Undefined for a record that is stored as it is. */
  row(record: EvidenceRecord): SealedRow | undefined;
  letter(letter: DeadLetter): LetterBytes;
}

/**
 * Takes the keys of all subjects of a batch, in the transaction that stores it. Costs nothing where there are no subjects with
 * payloads, and no dead letters.
 */
export async function sealBatch(client: PoolClient, ring: KeyRing, batch: Batch): Promise<SealedBatch> {
  const demands = new Map<string, KeyDemand>();
  for (const { record } of batch.rows)
    if (isOfSubject(record)) addDemand(demands, ring, record, dayOf(idTime(record.predictionId)!));
  // What is of no day keeps its key by itself.
  for (const { record } of [...batch.skewed, ...batch.dead])
    if (record && isOfSubject(record)) addDemand(demands, ring, record, '');
  const keys = new Map<string, SubjectKey>();
  if (demands.size > 0) {
    const taken = await takeKeys(client, ring, [...demands.values()]);
    for (const [index, subject] of [...demands.keys()].entries()) keys.set(subject, taken[index]!);
  }
  return {
    row: (record) => (isOfSubject(record) ? sealRow(record, keyFor(record, keys)) : undefined),
    letter: (letter) => sealLetter(ring, letter, keys),
  };
}

const isOfSubject = ({ subject, request, response }: EvidenceRecord): boolean =>
  subject !== '' && (request !== undefined || response !== undefined);

function addDemand(demands: Map<string, KeyDemand>, ring: KeyRing, record: EvidenceRecord, lastDay: string): void {
  const { subject } = record;
  const latestMs = madeMs(record);
  const known = demands.get(subject);
  if (known) {
    known.latestMs = Math.max(known.latestMs, latestMs);
    if (lastDay > known.lastDay) known.lastDay = lastDay;
  } else if (isReadableSubject(subject)) demands.set(subject, { hash: ring.hashSubject(subject), latestMs, lastDay });
}

/** When a record was made, as far as it can be told: one without a time was made before any order. */
const madeMs = ({ receivedMs }: EvidenceRecord): number => (Number.isNaN(receivedMs) ? -Infinity : receivedMs);

/** The key for what is of a record; undefined where its subject was erased after it was made, or cannot be read. */
function keyFor(record: EvidenceRecord, keys: ReadonlyMap<string, SubjectKey>): SubjectKey['key'] {
  const known = keys.get(record.subject);
  return isErased(known?.erased, madeMs(record)) ? undefined : known?.key;
}

function sealRow(record: EvidenceRecord, taken: SubjectKey['key']): SealedRow {
  const { request, response, requestState, responseState, context } = record;
  if (taken === undefined)
    return {
      keyId: undefined,
      payloads: {
        ...{ request: undefined, requestState: request ? 'erased' : requestState },
        ...{ response: undefined, responseState: response ? 'erased' : responseState },
      },
    };
  const { keyId, key } = taken;
  const sealed = (bytes: Uint8Array | undefined, part: 'request' | 'response'): Uint8Array | undefined =>
    bytes && seal(key, bytes, evidenceContext(record, context.arm, part));
  return {
    keyId,
    payloads: {
      ...{ requestState, request: sealed(request, 'request') },
      ...{ responseState, response: sealed(response, 'response') },
    },
  };
}

function sealLetter(ring: KeyRing, letter: DeadLetter, keys: ReadonlyMap<string, SubjectKey>): LetterBytes {
  const { bytes, record } = letter;
  if (record && !isOfSubject(record)) return plainLetter(ring, bytes);
  const digest = ring.digest(bytes);
  const context = deadLetterContext(digest.toString('hex'));
  if (!record)
    return { ...{ digest, bytes: Buffer.alloc(0), keyId: undefined }, sealed: seal(ring.blockKey, bytes, context) };
  const taken = keyFor(record, keys);
  if (taken === undefined) return plainLetter(ring, withoutPayloads(bytes));
  const { keyId, key } = taken;
  return { digest, bytes: withoutPayloads(bytes), keyId, sealed: seal(key, bytes, context) };
}

/** What has no payload of a subject is kept as it is. */
const plainLetter = (ring: KeyRing, bytes: Uint8Array): LetterBytes => ({
  ...{ digest: ring.digest(bytes), bytes, sealed: undefined, keyId: undefined },
});
