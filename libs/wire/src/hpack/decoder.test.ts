import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionError, errorCodes } from '../errors.ts';
import { HpackDecoder } from './decoder.ts';
import { staticTable } from './static-table.ts';

interface Example {
  readonly section: string;
  readonly block: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly table: readonly (readonly [string, string])[];
  readonly tableSize: number;
}

const examples = JSON.parse(
  readFileSync(new URL('../../test/rfc7541-examples.json', import.meta.url), 'utf8'),
) as readonly { readonly sections: string; readonly maxTableSize: number; readonly blocks: readonly Example[] }[];

const decoder = (maxListSize = 64 * 1024): HpackDecoder => new HpackDecoder({ maxListSize });
const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const ascii = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

function faultOf(hex: string, of = decoder()): string {
  try {
    of.decode(octets(hex));
  } catch (error) {
    expect(error).toBeInstanceOf(ConnectionError);
    expect((error as ConnectionError).code).toBe(errorCodes.COMPRESSION_ERROR);
    return (error as ConnectionError).message;
  }
  return expect.unreachable(`${hex} was decoded`);
}

describe('the examples of RFC 7541, appendix C', () => {
  it.each(examples)('$sections', ({ maxTableSize, blocks }) => {
    const subject = decoder();
    // The examples have a table of 256 octets by a setting: the encoder does not announce it in them.
    if (maxTableSize !== 4096) subject.decode(octets('3fe101'));
    for (const { section, block, fields, table, tableSize } of blocks) {
      expect([section, subject.decode(octets(block)).fields]).toEqual([section, fields.flat()]);
      expect([section, subject.table, subject.tableSize]).toEqual([section, table, tableSize]);
    }
  });
});

describe('a header block', () => {
  it('names entries of the static table by their index', () => {
    expect(staticTable).toHaveLength(61);
    const block = Buffer.from(staticTable.map((_, at) => 0x80 | (at + 1)));
    expect(decoder().decode(block).fields).toEqual(staticTable.flat());
  });

  it('has a name of a table and a value of its own', () => {
    // grpc-status in the table, then by its name with another value.
    const subject = decoder();
    subject.decode(octets(`40 0b ${ascii('grpc-status')} 01 30`));
    expect(subject.decode(octets('be 0f2f 01 37 7e 01 39 be')).fields).toEqual([
      'grpc-status',
      '0',
      'grpc-status',
      '7',
      'grpc-status',
      '9',
      'grpc-status',
      '9',
    ]);
  });

  it('keeps octets that are not ASCII as they are', () => {
    expect(decoder().decode(octets('00 01 61 03 00 80 ff')).fields).toEqual(['a', '\u0000\u0080\u00ff']);
  });

  it('is empty', () => {
    expect(decoder().decode(octets(''))).toMatchObject({ fields: [], listSize: 0, tooLong: false });
  });

  it('is read from a place in a larger array', () => {
    const bytes = octets('ffff 82 84 ffff');
    expect(decoder().decode(bytes, 2, 4).fields).toEqual([':method', 'GET', ':path', '/']);
  });
});

describe('a fault in a header block', () => {
  it.each([
    ['index 0', '80', 'index 0'],
    ['an index behind the tables', 'be', 'index 62'],
    ['a name by an index behind the tables', '7e 00', 'index 62'],
    ['a name by index 0 that is cut', '40', 'ends within a field'],
    ['an integer that is cut', 'ff', 'within an integer'],
    ['an integer that goes on', 'ff 80', 'within an integer'],
    ['an integer that is too large', 'ff ff ff ff ff 7f', 'too large'],
    ['an integer with zeros without end', 'ff 80 80 80 80 80 80 00', 'too large'],
    ['a string that is cut', '00 05 61 62', 'within a string'],
    ['a value that is not there', '00 01 61', 'ends within a field'],
    ['a table larger than allowed', '3f e2 1f', '4097 octets, of 4096 allowed'],
    ['a size update behind a field', '82 20', 'behind a field'],
    ['Huffman padding with a zero', '00 01 61 81 00', 'not Huffman-coded'],
    ['Huffman padding of eight bits', '00 01 61 82 07 ff', 'not Huffman-coded'],
    ['EOS in a Huffman-coded string', '00 01 61 84 ff ff ff ff', 'not Huffman-coded'],
  ])('is told: %s', (_what, hex, message) => {
    expect(faultOf(hex)).toContain(message);
  });

  it('is whatever bytes are not a block, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          const { fields, listSize } = decoder().decode(Buffer.from(bytes));
          const size = fields.reduce((sum, text) => sum + text.length, 16 * fields.length);
          expect([fields.length % 2, size]).toEqual([0, listSize]);
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the dynamic table', () => {
  const added = (name: string, value: string): string =>
    `40 ${Buffer.from([name.length]).toString('hex')} ${ascii(name)} ${Buffer.from([value.length]).toString('hex')} ${ascii(value)}`;

  it('evicts the oldest, and is empty after a field that is larger than all of it', () => {
    const subject = decoder();
    // Room for two entries of 34 octets.
    subject.decode(octets('3f 25'));
    for (const name of ['a', 'b', 'c']) subject.decode(octets(added(name, '1')));
    expect(subject.table).toEqual([
      ['c', '1'],
      ['b', '1'],
    ]);
    subject.decode(octets(added('x', 'y'.repeat(36))));
    expect([subject.table, subject.tableSize]).toEqual([[], 0]);
    expect(subject.decode(octets(added('d', '1'))).fields).toEqual(['d', '1']);
  });

  it('evicts what a field that is added names', () => {
    const subject = decoder();
    subject.decode(octets('3f 25'));
    subject.decode(octets(added('a', '1') + added('b', '2')));
    // The name of the oldest, with a value that needs its place (RFC 7541, section 4.4).
    expect(subject.decode(octets('7f 00 01 39')).fields).toEqual(['a', '9']);
    expect(subject.table).toEqual([
      ['a', '9'],
      ['b', '2'],
    ]);
  });

  it('is as large as the peer says at the start of a block, and no larger than was allowed', () => {
    const subject = decoder();
    subject.decode(octets(added('a', '1')));
    subject.decode(octets('20 3f e1 1f'));
    expect(subject.table).toEqual([]);
    subject.allowTableSize(100);
    expect(faultOf('82', subject)).toContain('no update to the dynamic table size of 100');
    const other = decoder();
    other.allowTableSize(100);
    expect(faultOf('3f 46', other)).toContain('101 octets, of 100 allowed');
    const third = decoder();
    third.allowTableSize(100);
    third.allowTableSize(8192);
    expect(third.decode(octets('3f 45 3f e2 1f 82')).fields).toEqual([':method', 'GET']);
  });

  it('holds what a model of it holds, whatever is added', () => {
    const field = fc.tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ maxLength: 60 }));
    const step = fc.oneof(field, fc.integer({ min: 0, max: 4096 }));
    const hexOf = (text: string): string => Buffer.from([text.length]).toString('hex') + ascii(text);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const subject = decoder();
        let model: [string, string][] = [];
        let maxSize = 4096;
        const sizeOf = (): number => model.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
        for (const each of steps) {
          if (typeof each === 'number') {
            maxSize = each;
            subject.decode(octets(sizeUpdate(each)));
          } else {
            const [name, value] = each.map((text) => Buffer.from(text).toString('latin1').slice(0, 60)) as [
              string,
              string,
            ];
            subject.decode(octets(`40${hexOf(name)}${hexOf(value)}`));
            model.unshift([name, value]);
          }
          while (sizeOf() > maxSize) model = model.slice(0, -1);
          expect(subject.tableSize).toBe(sizeOf());
        }
        expect(subject.table).toEqual(model);
      }),
    );
  });
});

function sizeUpdate(size: number): string {
  if (size < 31) return Buffer.from([0x20 | size]).toString('hex');
  const out = [0x3f];
  let rest = size - 31;
  for (; rest >= 128; rest >>= 7) out.push((rest & 127) | 128);
  return Buffer.from([...out, rest]).toString('hex');
}

describe('a header list that is too long', () => {
  it('is not kept, and the table is as if it were', () => {
    const subject = decoder(100);
    const first = subject.decode(octets(`40 01 61 28 ${ascii('x'.repeat(40))}`));
    expect(first).toMatchObject({ listSize: 73, tooLong: false });
    expect(subject.decode(octets('be be'))).toMatchObject({ fields: [], listSize: 146, tooLong: true });
    expect(subject.decode(octets('be')).fields).toEqual(['a', 'x'.repeat(40)]);
  });

  it('is counted and not built, when a few octets stand for megabytes', () => {
    const subject = decoder();
    subject.decode(octets(`40 01 61 7f a01e ${ascii('x'.repeat(3999))}`));
    const { listSize, tooLong, fields } = subject.decode(Buffer.alloc(16_384, 0xbe));
    expect([listSize, tooLong, fields.length]).toEqual([16_384 * 4032, true, 0]);
  });
});

describe('a header list of too many fields', () => {
  const field = (name: string, value: string): string =>
    [name, value].map((text) => `${text.length.toString(16).padStart(2, '0')} ${ascii(text)}`).join(' ');
  const subject = (): HpackDecoder => new HpackDecoder({ maxListSize: 64 * 1024, maxFields: 5 });

  it.each([
    ['five fields', ['a:', 'b:', 'c:', 'd:', 'e:'], 5],
    ['six fields', ['a:', 'b:', 'c:', 'd:', 'e:', 'f:'], undefined],
    ['five values of bytes in one', ['x-bin:AA,AA,AA,AA,AA'], 5],
    ['six values of bytes in one', ['x-bin:AA,AA,AA,AA,AA,AA'], undefined],
    ['six values of no bytes', ['x-bin:,,,,,'], undefined],
    ['values in two fields', ['x-bin:AA,AA', 'a:', 'y-bin:AA,AA'], 5],
    ['too many values in two fields', ['x-bin:AA,AA', 'a:', 'y-bin:AA,AA,AA'], undefined],
    ['text with commas', ['x:,,,,,,,,,', 'bin:,,,,,,,,'], 2],
    ['many commas, and other fields behind', [`x-bin:${','.repeat(100)}`, 'a:', 'b:'], undefined],
  ])('is not kept, one within the limit is: %s', (_what, list, values) => {
    const fields = list.map((each) => each.split(':') as [string, string]);
    const block = octets(fields.map(([name, value]) => `00 ${field(name, value)}`).join(' '));
    expect(subject().decode(block)).toMatchObject(
      values === undefined ? { tooLong: true, fields: [] } : { tooLong: false, fields: fields.flat(), values },
    );
    // Without that limit it is.
    expect(decoder().decode(block)).toMatchObject({ tooLong: false, fields: fields.flat() });
  });

  it('is read to its end all the same, and the next is as if there had been none', () => {
    const one = subject();
    expect(one.decode(octets(`00 05 ${ascii('x-bin')} 06 ${ascii(',,,,,,')} 40 01 61 01 62`)).tooLong).toBe(true);
    expect(one.decode(octets('be'))).toMatchObject({ tooLong: false, fields: ['a', 'b'], values: 1 });
  });
});

describe('a header block that repeats', () => {
  it('is the same object as long as the table is the same', () => {
    const subject = decoder();
    const block = octets('82 84');
    const first = subject.decode(block);
    expect(subject.decode(block)).toBe(first);
    for (const other of ['82', '84', '86', '82 86', '83']) subject.decode(octets(other));
    expect(subject.decode(block)).not.toBe(first);
    expect(subject.decode(block)).toEqual(first);
  });

  it('means something else when the table has changed', () => {
    const subject = decoder();
    subject.decode(octets('40 01 61 01 31'));
    expect(subject.decode(octets('be')).fields).toEqual(['a', '1']);
    expect(subject.decode(octets('be')).fields).toEqual(['a', '1']);
    subject.decode(octets('40 01 62 01 32'));
    expect(subject.decode(octets('be')).fields).toEqual(['b', '2']);
    subject.decode(octets('20'));
    expect(faultOf('be', subject)).toContain('index 62');
  });

  it('adds to the table each time', () => {
    const subject = decoder();
    for (const count of [1, 2, 3]) {
      subject.decode(octets('40 01 61 01 31'));
      expect(subject.table).toHaveLength(count);
    }
  });

  it('is not taken for known when an update is due', () => {
    const subject = decoder();
    subject.decode(octets('82'));
    subject.allowTableSize(0);
    expect(faultOf('82', subject)).toContain('no update');
  });
});
