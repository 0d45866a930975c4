import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { codings, inflate, isCoding } from './codings.ts';
import type { Coding } from './codings.ts';
import { MessageFault } from './message-reader.ts';

const compressed = { gzip: gzipSync, deflate: deflateSync } as const;
const each = ['gzip', 'deflate'] as const;
const limit = 10_000_000;

/** What is told of octets that cannot be inflated, at once or later. */
async function faultOf(octets: Buffer, coding: Coding, maxOctets: number): Promise<[string, string]> {
  try {
    await inflate(octets, coding, maxOctets);
  } catch (error) {
    expect(error).toBeInstanceOf(MessageFault);
    return [(error as MessageFault).kind, (error as MessageFault).message];
  }
  return expect.unreachable('was inflated');
}

/** Does not compress. */
const noise = (length: number): Buffer => {
  const octets = Buffer.alloc(length);
  let value = 1;
  for (let at = 0; at < length; at++) octets[at] = (value = (value * 48_271) % 2_147_483_647) & 0xff;
  return octets;
};

it('three codings are known, by their names as they are written', () => {
  expect(codings.filter(isCoding)).toEqual(['identity', 'gzip', 'deflate']);
  for (const name of ['', 'GZIP', 'snappy', 'gzip, deflate', 'br', 'constructor']) expect(isCoding(name)).toBe(false);
});

describe('a message that was compressed', () => {
  it('is itself under identity', () => {
    const octets = Buffer.from('abc');
    expect(inflate(octets, 'identity', 1)).toBe(octets);
  });

  it.each(each)('is there at once where it is small: %s', (coding) => {
    for (const message of ['', 'a', 'abc'.repeat(100_000)])
      expect((inflate(compressed[coding](message), coding, limit) as Buffer).toString()).toBe(message);
  });

  it.each(each)('is there later where it is not: %s', async (coding) => {
    const message = noise(100_000);
    const inflated = inflate(compressed[coding](message), coding, limit);
    expect(inflated).toBeInstanceOf(Promise);
    expect((await inflated).equals(message)).toBe(true);
  });

  it.each(each)('is there later where it becomes a thousand times as large: %s', async (coding) => {
    const octets = compressed[coding](Buffer.alloc(1_048_577), { level: 9 });
    expect(octets.length).toBeLessThan(1100);
    const inflated = inflate(octets, coding, limit);
    expect((await inflated).length).toBe(1_048_577);
  });

  it.each(each)('has its limit, and not an octet more: %s', async (coding) => {
    for (const message of [Buffer.alloc(1000, 7), noise(5000)]) {
      const octets = compressed[coding](message);
      expect((await inflate(octets, coding, message.length)).equals(message)).toBe(true);
      const [kind, text] = await faultOf(octets, coding, message.length - 1);
      expect([kind, text]).toEqual(['too-large', expect.stringContaining(`the limit of ${message.length - 1} when`)]);
    }
  });

  it.each(each)('is told when it is none, or is cut: %s', async (coding) => {
    for (const octets of [
      Buffer.from('not compressed'),
      noise(5000),
      compressed[coding](Buffer.alloc(1000, 7)).subarray(0, -5),
      compressed[coding](noise(5000)).subarray(0, -5),
      Buffer.alloc(0),
    ])
      expect(await faultOf(octets, coding, limit)).toEqual([
        'malformed',
        `a message that does not decompress as ${coding}`,
      ]);
  });
});
