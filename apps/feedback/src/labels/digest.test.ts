import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { contentDigest, truthDigest, waitingKey } from './digest.ts';
import { plainPayloads } from '../payloads/payload-cipher.ts';
import type { Item } from './item.ts';

const item: Item = {
  ...{ kind: 'label', predictionId: 'p', model: '', requestId: '', source: 's', actor: 'a', atMicros: undefined },
  ...{ row: 0, perRow: false, values: [{ name: 'x' }], payload: undefined },
};

const keyOf = (each: Item): Buffer => waitingKey(each, plainPayloads);

describe('digests', () => {
  it('of a truth are part of the key of rows that are stored: SHA-256 of time and value, 16 octets', () => {
    const first16 = (...parts: (string | Buffer)[]): Buffer =>
      createHash('sha256')
        .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
        .digest()
        .subarray(0, 16);
    const number = Buffer.alloc(8);
    number.writeDoubleBE(-2.5);
    expect(truthDigest({ name: 'größe' }, undefined)).toEqual(first16('-\nngröße'));
    expect(truthDigest({ name: '1' }, 5)).toEqual(first16('5\nn1'));
    expect(truthDigest({ number: -2.5 }, 5)).toEqual(first16('5\nd', number));
  });

  it('of a truth differ with value, type and time, and nothing else', () => {
    const all = [
      truthDigest({ name: '1' }, undefined),
      truthDigest({ number: 1 }, undefined),
      truthDigest({ number: 2 }, undefined),
      truthDigest({ number: 2 }, 0),
      truthDigest({ number: 2 }, 1),
    ].map((digest) => digest.toString('hex'));
    expect(new Set(all).size).toBe(5);
    expect(all.every((text) => text.length === 32)).toBe(true);
    expect(truthDigest({ number: -0 }, 1)).toEqual(truthDigest({ number: 0 }, 1));
  });

  it('of an item that waits differ with all that it says, but not with who sent it', () => {
    const others: Partial<Item>[] = [
      {},
      { kind: 'correction' },
      { predictionId: 'q' },
      { predictionId: '', model: 'm', requestId: 'r' },
      { predictionId: '', model: 'mr', requestId: '' },
      { source: 't' },
      { row: 1 },
      { perRow: true },
      { atMicros: 5 },
      { values: [{ name: 'y' }] },
      { perRow: true, values: [{ name: 'x' }, { name: 'y' }] },
      { perRow: true, values: [{ name: 'xny' }] },
      { values: [], payload: Buffer.from('x') },
    ];
    expect(new Set(others.map((own) => keyOf({ ...item, ...own }).toString('hex'))).size).toBe(others.length);
    expect(keyOf({ ...item, actor: 'b' })).toEqual(keyOf(item));
    // A text is in it by its keyed digest alone.
    const text = { ...item, payload: Buffer.from('x') };
    const keyed = { digest: () => Buffer.from('k') };
    expect(waitingKey(text, keyed)).toEqual(waitingKey({ ...text, payload: Buffer.from('y') }, keyed));
  });

  it('of feedback leave out what must not be known', () => {
    const text = { ...item, kind: 'text' as const, values: [] };
    const [one, other] = [Buffer.from('one'), Buffer.from('other')];
    expect(contentDigest(text, one)).not.toEqual(contentDigest(text, other));
    expect(contentDigest({ ...text, payload: one }, undefined)).toEqual(
      contentDigest({ ...text, payload: other }, undefined),
    );
    expect(contentDigest({ ...text, values: [{ number: 1 }] }, undefined)).not.toEqual(contentDigest(text, undefined));
  });
});
