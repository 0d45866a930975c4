import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Compression } from './codings.ts';
import { Inflater } from './inflater.ts';
import { MessageFault } from './message-reader.ts';

const compressed = { gzip: gzipSync, deflate: deflateSync } as const;
const each = ['gzip', 'deflate'] as const;
const limit = 10_000_000;

/** What is told of octets that cannot be inflated, at once or later. */
async function faultOf(octets: Buffer, coding: Compression, maxOctets: number): Promise<[string, string]> {
  try {
    await new Inflater(maxOctets).inflate(octets, coding);
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

describe('a message that was compressed', () => {
  it.each(each)('is there at once where it is small: %s', (coding) => {
    for (const message of ['', 'a', 'abc'.repeat(40_000)])
      expect((new Inflater(limit).inflate(compressed[coding](message), coding) as Buffer).toString()).toBe(message);
  });

  it.each(each)('is there later where it is not: %s', async (coding) => {
    const message = noise(100_000);
    const inflated = new Inflater(limit).inflate(compressed[coding](message), coding);
    expect(inflated).toBeInstanceOf(Promise);
    expect((await inflated).equals(message)).toBe(true);
  });

  it.each(each)('is there later where it becomes a thousand times as large: %s', async (coding) => {
    const octets = compressed[coding](Buffer.alloc(1_048_577), { level: 9 });
    expect(octets.length).toBeLessThan(1100);
    const inflated = new Inflater(limit).inflate(octets, coding);
    expect((await inflated).length).toBe(1_048_577);
  });

  it.each(each)('has its limit, and not an octet more: %s', async (coding) => {
    for (const message of [Buffer.alloc(1000, 7), noise(5000)]) {
      const octets = compressed[coding](message);
      expect((await new Inflater(message.length).inflate(octets, coding)).equals(message)).toBe(true);
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

describe('messages of one connection', () => {
  const small = gzipSync('abc');
  const inPlace = (inflated: Buffer | Promise<Buffer>): boolean => inflated instanceof Buffer;

  it('are inflated where they stand a few in a turn, and the others in the next, in their order', async () => {
    const inflater = new Inflater(limit);
    const order: number[] = [];
    const all = Array.from({ length: 100 }, (_, at) => {
      const inflated = inflater.inflate(small, 'gzip');
      const done = Promise.resolve(inflated).then(() => void order.push(at));
      return { now: inPlace(inflated), done };
    });
    expect(all.map(({ now }) => now)).toEqual(all.map((_, at) => at < 16));
    const inTurns: number[] = [];
    for (let turn = 0; order.length < 100 && turn < 20; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      inTurns.push(order.length);
    }
    await Promise.all(all.map(({ done }) => done));
    expect(order).toEqual(all.map((_, at) => at));
    expect(inTurns.length).toBeGreaterThanOrEqual(6);
    // All of the next turns, as the first.
    expect(inTurns.slice(0, 3)).toEqual([32, 48, 64]);
    expect(inPlace(inflater.inflate(small, 'gzip'))).toBe(true);
  });

  it('leave no octets for others of the turn where they become many', async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000), { level: 9 });
    expect(bomb.length).toBeLessThan(1024);
    const inflater = new Inflater(limit);
    const inflated = [bomb, small, bomb].map(async (octets) => {
      const each = inflater.inflate(octets, 'gzip');
      expect(inPlace(each)).toBe(false);
      return each;
    });
    expect((await Promise.all(inflated)).map(({ length }) => length)).toEqual([1_000_000, 3, 1_000_000]);
    // The next turn is as the first.
    await new Promise((resolve) => setImmediate(resolve));
    expect(inPlace(inflater.inflate(gzipSync(Buffer.alloc(100_000)), 'gzip'))).toBe(true);
    expect(inPlace(inflater.inflate(small, 'gzip'))).toBe(true);
    expect(inPlace(inflater.inflate(gzipSync(Buffer.alloc(100_000)), 'gzip'))).toBe(false);
  });

  it('that are not small are inflated four at once', async () => {
    const inflater = new Inflater(limit);
    const octets = gzipSync(noise(50_000));
    for (let round = 0; round < 2; round++) {
      let begun = 0;
      const all = Array.from({ length: 12 }, async () =>
        inflater.inflate(octets, 'gzip', (more) => void (begun += more === 0 ? 1 : 0)),
      );
      expect(begun).toBe(4);
      await all[0];
      // The next has the place of the one that is done.
      expect(begun).toBeGreaterThan(4);
      await Promise.all(all);
      expect(begun).toBe(12);
    }
  });

  it('wait behind those that wait already', async () => {
    const inflater = new Inflater(limit);
    const order: string[] = [];
    const add = async (name: string): Promise<void> => {
      await inflater.inflate(small, 'gzip');
      order.push(name);
    };
    const before = Array.from({ length: 16 }, () => inflater.inflate(small, 'gzip'));
    expect(before.every(inPlace)).toBe(true);
    // One that is done asks for another, in a turn that has room for all of them.
    const names = Array.from({ length: 12 }, (_, at) => String(at));
    await Promise.all(names.map((name, at) => (at > 0 ? add(name) : add(name).then(() => add('last')))));
    expect(order).toEqual([...names, 'last']);
  });

  it('are not inflated where nobody wants them any more when it is their turn', async () => {
    const inflater = new Inflater(limit);
    const gone = (): never => {
      throw new MessageFault('too-large', 'gone');
    };
    const blocking = Array.from({ length: 16 }, () => inflater.inflate(small, 'gzip'));
    const later = Array.from({ length: 50 }, () => inflater.inflate(small, 'gzip', gone));
    const last = inflater.inflate(small, 'gzip');
    const large = Array.from({ length: 6 }, () => inflater.inflate(gzipSync(noise(5000)), 'gzip', gone));
    const ends = await Promise.allSettled([...later, ...large]);
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(56);
    expect([blocking.every(inPlace), String(await last)]).toEqual([true, 'abc']);
    expect((await inflater.inflate(gzipSync(noise(5000)), 'gzip')).length).toBe(5000);
  });
});
