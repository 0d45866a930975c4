import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyOf } from '../../test/spool-rig.ts';
import { frameOverhead, headerBytes, readHeader } from './frame.ts';
import { SegmentKey, unwrap, wrappedBytes } from './segment-key.ts';

const key = () => new SegmentKey(Buffer.alloc(32, 9), 7);
const one = keyOf('one');
const file = () => key().wrapped(one, Buffer.alloc(12, 3));

function sealed(position = 5, block = Buffer.from('some bytes'), by = key()): Buffer {
  const bytes = Buffer.alloc(frameOverhead + block.length);
  by.seal(bytes, 0, position, 1000, block);
  return bytes;
}

/** Decrypts a frame of segment 7 and position 5 as SPEC.md says it lies, with a nonce of its own making. */
function byHand(bytes: Buffer, kind: number): string {
  const nonce = Buffer.alloc(12);
  nonce[0] = kind;
  nonce.writeDoubleLE(5, 4);
  const segment = Buffer.alloc(8);
  segment.writeDoubleLE(7);
  const decipher = createDecipheriv('aes-256-gcm', Buffer.alloc(32, 9), nonce);
  decipher.setAAD(Buffer.concat([segment, bytes.subarray(0, headerBytes)]));
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(headerBytes, -16)), decipher.final()]).toString();
}

const opened = (bytes: Buffer, by = key()) => by.open(bytes, 0, readHeader(bytes, 0)!);

describe('a block on disk', () => {
  it('E1 is what was written, under its key alone', () => {
    const bytes = sealed();
    expect(bytes.includes('some bytes')).toBe(false);
    expect(opened(bytes)?.toString()).toBe('some bytes');
    expect(opened(bytes, new SegmentKey(Buffer.alloc(32, 8), 7))).toBe(undefined);
    const destroyed = key();
    destroyed.destroy();
    expect(opened(bytes, destroyed)).toBe(undefined);
  });

  it('E2 is of its segment and its place: neither another one nor another octet passes', () => {
    const bytes = sealed();
    expect(opened(bytes, new SegmentKey(Buffer.alloc(32, 9), 8))).toBe(undefined);
    for (let at = headerBytes; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1;
      expect(opened(damaged)).toBe(undefined);
    }
    for (let at = 0; at < headerBytes; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1;
      expect(readHeader(damaged, 0)).toBe(undefined);
    }
    const moved = sealed(6);
    bytes.copy(moved, headerBytes, headerBytes);
    expect(opened(moved)).toBe(undefined);
  });

  it('E3 has a nonce of its own: equal blocks differ, and so does the mark before the first one', () => {
    const bodies = [sealed(1), sealed(2), sealed(2 ** 32 + 1), sealed(1, Buffer.alloc(0))].map((bytes) =>
      bytes.subarray(headerBytes).toString('hex'),
    );
    expect(new Set(bodies).size).toBe(4);
    expect(byHand(sealed(5), 0)).toBe('some bytes');
    expect(byHand(sealed(5, Buffer.alloc(0)), 1)).toBe('');
    expect(() => byHand(sealed(5, Buffer.alloc(0)), 0)).toThrow('authenticate');
  });

  it('E4 has its position and its time, beyond 32 bits too', () => {
    const position = 2 ** 52 + 12_345;
    expect(readHeader(sealed(position), 0)).toEqual({ position, length: 10, timeMs: 1000 });
  });
});

describe('the file of a key', () => {
  it('E5 gives the key of its segment to who has the key-encryption key, a former one too', () => {
    const bytes = sealed();
    expect(file().includes(Buffer.alloc(32, 9))).toBe(false);
    expect(file()).toHaveLength(wrappedBytes(one));
    for (const keys of [[one], [keyOf('two', 2), one]]) {
      const found = unwrap(file(), 7, keys);
      expect(found).toBeInstanceOf(SegmentKey);
      expect(opened(bytes, found as SegmentKey)?.toString()).toBe('some bytes');
    }
  });

  it('E6 says what is wrong: unknown key, wrong key, another segment, damage', () => {
    const problem = (bytes: Buffer, sequence: number, keys = [one]) => unwrap(bytes, sequence, keys);
    expect(problem(file(), 7, [keyOf('two')])).toEqual({
      problem: "its key is wrapped by key 'one', which is not among those that were given",
    });
    const wrong = { problem: "the key 'one' that was given is not the one that wrapped its key" };
    expect(problem(file(), 7, [keyOf('one', 2)])).toEqual(wrong);
    expect(problem(file(), 8)).toEqual(wrong);
    for (let at = 0; at < file().length; at++) {
      const damaged = file();
      damaged[at]! ^= 1;
      expect(problem(damaged, 7)).toEqual({ problem: 'the file of its key is damaged' });
      expect(problem(file().subarray(0, at), 7)).toEqual({ problem: 'the file of its key is damaged' });
    }
  });
});
