import { invalidArgument } from '@sluice/domain/errors';

/** A block and where it lies in its spool. */
export interface PlacedBlock {
  readonly position: number;
  readonly block: Uint8Array;
}

/** Blocks of a spool as they travel in one message: `EvidenceBlocks` of the protocol. */
export interface PackedBlocks {
  /** Of the first one. */
  readonly position: number;
  /** Each behind two numbers: how far its position lies behind that of the first one, and its length. */
  readonly blocks: Uint8Array;
}

/** Two numbers of four octets, the least significant first. */
const headBytes = 8;
/** How far apart the positions of blocks that travel together may be. */
export const mostApart = 0xffff_ffff;

/** @param blocks at least one, in the order of their positions, which are at most `mostApart` apart */
export function packBlocks(blocks: readonly PlacedBlock[]): PackedBlocks {
  const { position } = blocks[0]!;
  const bytes = Buffer.allocUnsafe(blocks.reduce((sum, { block }) => sum + headBytes + block.length, 0));
  let at = 0;
  for (const each of blocks) {
    at = bytes.writeUInt32LE(each.position - position, at);
    at = bytes.writeUInt32LE(each.block.length, at);
    bytes.set(each.block, at);
    at += each.block.length;
  }
  return { position, blocks: bytes };
}

/**
 * The blocks of a message, one at a time, where they lie in it.
 *
 * @throws SluiceError invalid-argument when the octets are not such blocks
 */
export function* unpackBlocks({ position, blocks }: PackedBlocks): Generator<PlacedBlock, void, undefined> {
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.length);
  for (let at = 0; at < blocks.length;) {
    const left = blocks.length - at - headBytes;
    const length = left < 0 ? 0 : view.getUint32(at + 4, true);
    if (left < length)
      throw invalidArgument(
        `blocks.blocks: they end at ${blocks.length} bytes, inside of a block that begins at ${at}`,
      );
    const from = at + headBytes;
    const own = position + view.getUint32(at, true);
    if (!Number.isSafeInteger(own))
      throw invalidArgument(
        `blocks.blocks: the block that begins at ${at} has the position ${own}; expected less than 2^53`,
      );
    yield { position: own, block: blocks.subarray(from, from + length) };
    at = from + length;
  }
}
