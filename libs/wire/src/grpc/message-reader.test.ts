import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageFault, MessageReader, prefixOctets } from './message-reader.ts';

interface Got {
  readonly text: string;
  readonly compressed: boolean;
}

function reading(maxOctets = 1000) {
  const got: Got[] = [];
  const announced: number[] = [];
  const reserved: number[] = [];
  const octets: Buffer[] = [];
  const reader = new MessageReader({
    maxOctets,
    announced: (length) => void announced.push(length),
    reserve: (length) => void reserved.push(length),
    message: (message, compressed) => {
      octets.push(message);
      got.push({ text: message.toString('latin1'), compressed });
    },
  });
  const read = (chunk: Buffer): void => reader.read(chunk, 0, chunk.length);
  return { reader, read, got, announced, reserved, octets };
}

function message(text: string, flag = 0): Buffer {
  const prefix = Buffer.alloc(prefixOctets);
  prefix[0] = flag;
  prefix.writeUInt32BE(text.length, 1);
  return Buffer.concat([prefix, Buffer.from(text, 'latin1')]);
}

function faultOf(chunk: Buffer, maxOctets?: number): MessageFault {
  const { read, got } = reading(maxOctets);
  try {
    read(chunk);
  } catch (error) {
    expect([error instanceof MessageFault, got]).toEqual([true, []]);
    return error as MessageFault;
  }
  return expect.unreachable('was read');
}

describe('messages', () => {
  it('lie in data one behind the other, with whether they are compressed', () => {
    const { read, got, reader } = reading();
    read(Buffer.concat([message('one'), message('', 1), message('three', 1)]));
    expect(got).toEqual([
      { text: 'one', compressed: false },
      { text: '', compressed: true },
      { text: 'three', compressed: true },
    ]);
    expect(reader.midMessage).toBe(false);
  });

  it('come however they are cut', () => {
    const texts = fc.array(fc.string({ maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(texts, fc.array(fc.nat(20), { minLength: 1 }), (all, sizes) => {
        const latin = all.map((text) => Buffer.from(text).toString('latin1'));
        const bytes = Buffer.concat(latin.map((text, at) => message(text, at % 2)));
        const { reader, read, got } = reading();
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = 1 + sizes[turn % sizes.length]!;
          read(bytes.subarray(at, at + size));
          at += size;
        }
        expect(got).toEqual(latin.map((text, at) => ({ text, compressed: at % 2 === 1 })));
        expect(reader.midMessage).toBe(false);
      }),
    );
  });

  it('are read from a place in a larger array', () => {
    const { reader, got } = reading();
    const bytes = Buffer.concat([Buffer.from('xx'), message('abc'), Buffer.from('yy')]);
    reader.read(bytes, 2, bytes.length - 2);
    expect(got).toEqual([{ text: 'abc', compressed: false }]);
  });

  it('need no room where they lie in one piece, and outlast it', () => {
    const { read, octets, announced, reserved } = reading(60_000);
    const texts = ['abcdef', 'g'.repeat(20_000), 'h'.repeat(60_000)];
    for (const text of texts) {
      const chunk = message(text);
      read(chunk);
      chunk.fill(0);
    }
    expect(octets.map(String)).toEqual(texts);
    expect([announced, reserved]).toEqual([[], []]);
  });

  it('come into memory that is there, where there is some for as many octets as they have', () => {
    const room = Buffer.alloc(6);
    const asked: number[] = [];
    const octets: Buffer[] = [];
    const reader = new MessageReader({
      maxOctets: 10,
      ...{ announced: () => undefined, reserve: () => undefined, message: (message) => octets.push(message) },
      room: (count) => {
        asked.push(count);
        return count === 6 ? room : undefined;
      },
    });
    const bytes = Buffer.concat([message('whole'), message('abcdef'), message('gh')]);
    const missing: number[] = [];
    let start = 0;
    for (const end of [12, 17, 27, 28]) {
      reader.read(bytes, start, end);
      missing.push(reader.missing);
      start = end;
    }
    expect(missing).toEqual([0, 4, 1, 0]);
    expect([asked, octets.map(String), octets[1] === room]).toEqual([[6, 2], ['whole', 'abcdef', 'gh'], true]);
  });

  it('are announced when they begin, and take room as they come', () => {
    const { read, announced, reserved, got } = reading();
    const bytes = message('abcdef');
    read(bytes.subarray(0, 5));
    expect([announced, reserved]).toEqual([[6], []]);
    read(bytes.subarray(5, 9));
    read(Buffer.concat([bytes.subarray(9), message('gh').subarray(0, 6)]));
    expect([announced, reserved, got.length]).toEqual([[6, 2], [4, 2, 1], 1]);
  });

  it('have begun as soon as an octet of their prefix has come', () => {
    const { reader, read } = reading();
    const bytes = message('ab');
    const states = [reader.midMessage];
    for (let at = 0; at < bytes.length; at++) {
      read(bytes.subarray(at, at + 1));
      states.push(reader.midMessage);
    }
    expect(states).toEqual([false, true, true, true, true, true, true, false]);
  });
});

describe('a message that is not taken', () => {
  it('is longer than allowed, by one octet', () => {
    const { read, got } = reading(10);
    read(message('x'.repeat(10)));
    expect(got).toHaveLength(1);
    const fault = faultOf(message('x'.repeat(11)).subarray(0, prefixOctets), 10);
    expect([fault.kind, fault.message]).toEqual([
      'too-large',
      'the request has 11 bytes, more than the limit of 10; send less at once',
    ]);
    expect(faultOf(Buffer.from('00ffffffff', 'hex')).kind).toBe('too-large');
  });

  it('has a flag other than 0 and 1', () => {
    for (const flag of [2, 0x80, 0xff]) {
      const fault = faultOf(message('a', flag));
      expect([fault.kind, fault.message]).toEqual(['malformed', `a message with the compressed flag ${flag}`]);
    }
  });

  it('finds no room', () => {
    const none = new MessageFault('too-large', 'none left');
    const refuse = (): never => {
      throw none;
    };
    for (const refusing of [{ announced: refuse }, { reserve: refuse }]) {
      const all = { announced: () => undefined, reserve: () => undefined, ...refusing };
      const reader = new MessageReader({ maxOctets: 10, ...all, message: () => expect.unreachable() });
      expect(() => reader.read(message('ab').subarray(0, 6), 0, 6)).toThrow(none);
    }
  });
});
