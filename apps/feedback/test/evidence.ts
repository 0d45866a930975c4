import { randomBytes } from 'node:crypto';
import { BlockWriter } from '@sluice/evidence/block-writer';
import type { RecordDraft } from '@sluice/evidence/draft';
import { emptyDraft } from '@sluice/evidence/draft';
import { EncodedContext } from '@sluice/evidence/encoded-context';
import type { EvidenceContext } from '@sluice/evidence/record';

export const context: EvidenceContext = {
  ...{ model: 'digits', version: 3, versionDigest: 'd'.repeat(64), releaseId: 'r1', seedId: 's1', policyVersion: 0 },
  ...{ arm: 'cnn', servedArm: 'cnn', role: 'primary', propensity: 1, retentionClass: 'standard' },
};

/** A UUID of version 7 with a time of its own, and the rest at random. */
export function idAt(ms: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Math.floor(ms), 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** What a test says of a record; the rest is as usual. */
export type Given = Partial<Omit<RecordDraft, 'context'>> & { readonly context?: Partial<EvidenceContext> };

/** A block with a record for each of `given`. */
export function blockOf(...given: readonly Given[]): Buffer {
  const writer = new BlockWriter(64 * 1024);
  const contexts = new Map<string, EncodedContext>();
  for (const { context: own, ...fields } of given) {
    const whole = { ...context, ...own };
    const key = JSON.stringify(whole);
    const encoded = contexts.get(key) ?? new EncodedContext(whole);
    contexts.set(key, encoded);
    const receivedMs = Date.now();
    const draft = { ...emptyDraft(encoded), predictionId: idAt(receivedMs), receivedMs, answered: true, ...fields };
    if (!writer.append(draft)) throw new Error('the block of a test is full');
  }
  return Buffer.from(writer.block);
}

/** Ids of `count` predictions of now. */
export const someIds = (count: number, ms = Date.now()): string[] => Array.from({ length: count }, () => idAt(ms));

/** A block with a record of each id. */
export const blockOfIds = (ids: readonly string[], own: Given = {}): Buffer =>
  blockOf(...ids.map((predictionId) => ({ ...own, predictionId })));

/** A record with payloads of a subject. */
export const ofSubject = (subject: string, over: Given = {}): Given => ({
  ...{ subject, requestState: 'captured', request: Buffer.from(`a secret of ${subject}`) },
  ...{ responseState: 'captured', response: [Buffer.from('an answer')], ...over },
});
