import { createHash, hash } from 'node:crypto';
import type { PayloadCipher } from '../payloads/payload-cipher.ts';
import type { Item, Truth } from './item.ts';
import { isName } from './item.ts';

const digestBytes = 16;
const fields = Buffer.alloc(9);

/** A truth as bytes: two are the same when they are equal. */
function truthBytes(truth: Truth): Buffer {
  if (isName(truth)) return Buffer.from(`n${truth.name}`);
  fields.write('d', 'latin1');
  // Zero has two signs and one meaning.
  fields.writeDoubleBE(truth.number + 0, 1);
  return Buffer.from(fields);
}

const at = (micros: number | undefined): string => (micros === undefined ? '-' : String(micros));

/** The part of a label's key that says what it says: value and time. */
export function truthDigest(truth: Truth, atMicros: number | undefined): Buffer {
  const head = `${at(atMicros)}\n`;
  // At once: labels are many, and an object for each hash costs more than the hash.
  const bytes = isName(truth) ? `${head}n${truth.name}` : Buffer.concat([Buffer.from(head), truthBytes(truth)]);
  return hash('sha256', bytes, 'buffer').subarray(0, digestBytes);
}

/** The same for feedback. @param mark of its text; undefined without one, and for one that must not be known any more */
export function contentDigest({ values, atMicros }: Item, mark: Uint8Array | undefined): Buffer {
  const digest = createHash('sha256').update(`${at(atMicros)}\n`);
  for (const value of values) digest.update(truthBytes(value));
  if (mark) digest.update('p').update(mark);
  return digest.digest().subarray(0, digestBytes);
}

/** Names an item that waits by all that it says: sent again it is the same. @param cipher has the digest of its text, which is gone sooner */
export function waitingKey(item: Item, cipher: Pick<PayloadCipher, 'digest'>): Buffer {
  const { kind, predictionId, model, requestId, source, row, perRow, atMicros, values, payload } = item;
  const head = JSON.stringify([kind, predictionId, model, requestId, source, row, perRow, at(atMicros), values.length]);
  const digest = createHash('sha256').update(head);
  for (const value of values) {
    const bytes = truthBytes(value);
    digest.update(`\n${bytes.length} `).update(bytes);
  }
  if (payload) digest.update('p').update(cipher.digest(payload));
  return digest.digest().subarray(0, digestBytes);
}
