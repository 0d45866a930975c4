import { describe, expect, it } from 'vitest';
import { messageOf } from '../test/fixtures.ts';
import { WireReader } from './wire-reader.ts';

const reader = (...bytes: number[]) => new WireReader(Uint8Array.from(bytes), 'M');

describe('WireReader', () => {
  it('W1 reads varints of one to ten bytes', () => {
    for (const [bytes, expected] of [
      [[0x00], 0n],
      [[0x7f], 127n],
      [[0x80, 0x01], 128n],
      [[0xff, 0xff, 0xff, 0xff, 0x0f], 0xffff_ffffn],
      [[0x80, 0x80, 0x80, 0x80, 0x10], 0x1_0000_0000n],
      [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 0xffff_ffff_ffff_ffffn],
    ] as const) {
      const subject = reader(...bytes);
      subject.varint('x');
      expect(subject.bigint(false)).toBe(expected);
      expect(subject.pos).toBe(bytes.length);
    }
  });

  it('W1 reads negative numbers', () => {
    const bytes = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    expect(reader(...bytes).int64('x')).toBe(-1);
    const subject = reader(...bytes);
    subject.varint('x');
    expect(subject.bigint(true)).toBe(-1n);
  });

  it('W2 refuses varints that are cut off or longer than 64 bits', () => {
    expect(messageOf(() => reader(0x80).varint('x'))).toBe(
      'invalid-argument: M is malformed: x at byte 0: the varint is cut off',
    );
    const ten = Array.from({ length: 9 }, () => 0xff);
    expect(messageOf(() => reader(...ten, 0x02).varint('x'))).toContain('more than 64 bits');
    expect(messageOf(() => reader(...ten, 0x81, 0x00).varint('x'))).toContain('more than 64 bits');
  });

  it('W3 refuses lengths beyond the end, also those of more than 32 bits', () => {
    expect(messageOf(() => reader(0x05, 1, 2).length('x'))).toBe(
      'invalid-argument: M is malformed: x at byte 0: length 5 runs past the end, 2 bytes are left',
    );
    expect(messageOf(() => reader(0x80, 0x80, 0x80, 0x80, 0x80, 0x20).length('x'))).toContain('runs past the end');
  });

  it('W4 refuses field number 0, groups, and the wire types that do not exist', () => {
    expect(messageOf(() => reader(0x02).next())).toContain('field number 0');
    for (const type of [3, 4, 6, 7]) {
      const subject = reader((9 << 3) | type, 0, 0, 0);
      expect(subject.next()).toBe(true);
      expect(messageOf(() => subject.skip())).toMatch(/field 9 at byte 1: wire type .* is not supported/);
    }
  });

  it('W5 skips unknown fields of every other wire type', () => {
    const subject = reader(0x48, 0x80, 0x01, 0x49, 1, 2, 3, 4, 5, 6, 7, 8, 0x4a, 0x02, 1, 2, 0x4d, 1, 2, 3, 4);
    const types: number[] = [];
    while (subject.next()) {
      types.push(subject.type);
      subject.skip();
    }
    expect(types).toEqual([0, 1, 2, 5]);
  });

  it('W6 refuses text that is not UTF-8 and takes text that is', () => {
    expect(reader(0x0a, 0x02, 0xc3, 0xa9).next()).toBe(true);
    const good = reader(0x0a, 0x02, 0xc3, 0xa9);
    good.next();
    expect(good.string('x')).toBe('é');
    const bad = reader(0x0a, 0x02, 0xc3, 0x28);
    bad.next();
    expect(messageOf(() => bad.string('x'))).toBe(
      'invalid-argument: M is malformed: x at byte 2: the text is not valid UTF-8',
    );
  });
});
