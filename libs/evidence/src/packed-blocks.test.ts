import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostApart, packBlocks, unpackBlocks } from './packed-blocks.ts';

const plain = (blocks: Iterable<{ readonly position: number; readonly block: Uint8Array }>) =>
  [...blocks].map(({ position, block }) => [position, Buffer.from(block).toString('hex')]);

describe('blocks in one message', () => {
  it('come out as they went in', () => {
    const steps = fc.array(
      fc.record({ step: fc.integer({ min: 1, max: 1_000 }), block: fc.uint8Array({ maxLength: 40 }) }),
      {
        minLength: 1,
      },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 52 }), steps, (first, all) => {
        let position = first;
        const blocks = all.map(({ step, block }) => ({ position: (position += step), block }));
        expect(plain(unpackBlocks(packBlocks(blocks)))).toEqual(plain(blocks));
      }),
    );
  });

  it('may lie as far apart as four octets can say', () => {
    const blocks = [1, 1 + mostApart].map((position) => ({ position, block: new Uint8Array([7]) }));
    expect(plain(unpackBlocks(packBlocks(blocks)))).toEqual([
      [1, '07'],
      [1 + mostApart, '07'],
    ]);
  });

  it('are refused at positions that no number has', () => {
    const blocks = Buffer.from('0100000000000000', 'hex');
    expect(() => plain(unpackBlocks({ position: Number.MAX_SAFE_INTEGER, blocks }))).toThrow(
      'the block that begins at 0 has the position 9007199254740992; expected less than 2^53',
    );
  });

  it('have the layout that the protocol names', () => {
    const packed = packBlocks([
      { position: 10, block: new Uint8Array([1, 2]) },
      { position: 12, block: new Uint8Array() },
    ]);
    expect([packed.position, Buffer.from(packed.blocks).toString('hex')]).toEqual([
      10,
      '0000000002000000' + '0102' + '0200000000000000',
    ]);
  });

  it.each([
    ['a head that is cut', '00000000020000', 0],
    ['a block that is cut', '0000000002000000' + '01', 0],
    ['a length that is none', '00000000ffffffff' + '01', 0],
    ['a second one that is cut', '0000000001000000' + '01' + '0100', 9],
  ])('are refused with the place of the first that is none: %s', (_, hex, at) => {
    const blocks = Buffer.from(hex, 'hex');
    expect(() => plain(unpackBlocks({ position: 1, blocks }))).toThrow(
      `blocks.blocks: they end at ${blocks.length} bytes, inside of a block that begins at ${at}`,
    );
  });
});
