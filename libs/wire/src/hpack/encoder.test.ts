import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HpackDecoder } from './decoder.ts';
import { HpackEncoder } from './encoder.ts';

const response = [':status', '200', 'content-type', 'application/grpc'];
const trailers = ['grpc-status', '0'];
const repeated = ['content-type', 'application/grpc', 'grpc-status', '0'];

function pair(of: readonly string[] = repeated) {
  const encoder = new HpackEncoder(of);
  const decoder = new HpackDecoder({ maxListSize: 1 << 20 });
  const through = (fields: readonly string[]): readonly string[] => decoder.decode(encoder.encode(fields)).fields;
  return { encoder, decoder, through };
}

describe('the encoder', () => {
  it('needs an octet a field from the second time on', () => {
    const { encoder, decoder } = pair();
    for (let time = 0; time < 3; time++)
      for (const fields of [response, trailers]) {
        const block = encoder.encodeConstant(fields);
        expect(decoder.decode(block).fields).toEqual(fields);
        if (time > 0) expect(block).toHaveLength(fields.length / 2);
      }
    expect(decoder.table).toEqual([
      ['grpc-status', '0'],
      ['content-type', 'application/grpc'],
    ]);
  });

  it('writes everything else in full, with names that are known', () => {
    const { encoder, decoder, through } = pair();
    through([...response, ...trailers]);
    const other = [
      'grpc-status',
      '13',
      'grpc-message',
      'a%20b',
      'sluice-prediction-id',
      'p-1',
      'content-type',
      'text/plain',
    ];
    expect(through(other)).toEqual(other);
    expect(encoder.encode(['grpc-status', '13'])).toHaveLength(5);
    expect(decoder.table).toHaveLength(2);
  });

  it('marks secrets so that nobody puts them in a table', () => {
    const { encoder, through } = pair(['authorization', 'Bearer abc']);
    expect(encoder.encode(['authorization', 'Bearer abc'])[0]! & 0xf0).not.toBe(0x00);
    expect(pair([]).encoder.encode(['authorization', 'x'])[0]! & 0xf0).toBe(0x10);
    expect(through(['authorization', 'x', 'cookie', 'y'])).toEqual(['authorization', 'x', 'cookie', 'y']);
  });

  it('never adds more than the table of the peer has room for', () => {
    const many = Array.from({ length: 200 }, (_, at) => [`name-${at}`, 'v'.repeat(20)]).flat();
    const { decoder, through } = pair(many);
    expect(through(many)).toEqual(many);
    expect(through(many)).toEqual(many);
    expect(decoder.tableSize).toBeLessThanOrEqual(4096);
    expect(decoder.tableSize).toBeGreaterThan(4000);
  });

  it.each([0, 40, 60, 4095])('announces a table of %i octets before the next field', (size) => {
    const { encoder, decoder } = pair();
    const through = (fields: readonly string[]) => decoder.decode(encoder.encodeConstant(fields)).fields;
    for (const fields of [response, trailers, response]) through(fields);
    encoder.allowTableSize(size);
    decoder.allowTableSize(size);
    for (const fields of [response, trailers, response, trailers]) expect(through(fields)).toEqual(fields);
    expect(decoder.tableSize).toBeLessThanOrEqual(size);
  });

  it('announces once, the smallest of several, and never grows', () => {
    const { encoder, decoder, through } = pair();
    for (const size of [8192, 100, 60, 4096]) encoder.allowTableSize(size);
    decoder.allowTableSize(60);
    const block = encoder.encode([':status', '200']);
    expect([...block]).toEqual([0x3f, 60 - 31, 0x88]);
    decoder.decode(block);
    expect([...encoder.encode([':status', '200'])]).toEqual([0x88]);
    expect(pair().encoder.encode([])).toHaveLength(0);
    expect(through(response)).toEqual(response);
  });

  it('announces once also with a block that is remembered', () => {
    const { encoder } = pair([]);
    const block = (): number[] => [...encoder.encodeConstant(trailers)];
    const plain = block();
    encoder.allowTableSize(0);
    expect([block(), block(), block()]).toEqual([[0x20, ...plain], plain, plain]);
  });

  it('is read back by the decoder, whatever the fields', () => {
    const name = fc.constantFrom('a', 'grpc-status', 'content-type', ':path', 'x-long-name', 'cookie');
    const value = fc.oneof(fc.constantFrom('0', 'application/grpc', ''), fc.string({ maxLength: 300 }));
    const fields = fc.array(fc.tuple(name, value), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(fields, { maxLength: 12 }),
        fc.array(fc.nat(5000), { minLength: 4, maxLength: 4 }),
        (blocks, sizes) => {
          const { encoder, decoder, through } = pair();
          for (const [at, block] of blocks.entries()) {
            const flat = block.flat().map((text) => Buffer.from(text).toString('latin1'));
            expect(through(flat)).toEqual(flat);
            if (at % 3 !== 2) continue;
            const size = sizes[(at - 2) / 3]!;
            encoder.allowTableSize(size);
            decoder.allowTableSize(size);
          }
        },
      ),
    );
  });
});
