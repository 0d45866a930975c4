import { at, contextFrame, frameHeader, magic } from '@sluice/evidence/layout';

/**
 * A block with one record of another block, octet for octet, and its context.
 *
 * @param block one that `readBlock` reads
 * @param index of the record among those of the block
 */
export function soloBlock(block: Uint8Array, index: number): Uint8Array {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  const contexts: Buffer[] = [];
  let records = 0;
  for (let pos = magic.length; pos < bytes.length;) {
    const end = pos + frameHeader + bytes.readUInt32LE(pos + 1);
    const frame = bytes.subarray(pos, end);
    if (bytes[pos] === contextFrame) contexts.push(frame);
    else if (records++ === index) return alone(frame, contexts);
    pos = end;
  }
  throw new RangeError(`the block has ${records} records, none with index ${index}`);
}

function alone(frame: Buffer, contexts: readonly Buffer[]): Uint8Array {
  const context = contexts[frame.readUInt16LE(frameHeader + at.context)]!;
  const solo = Buffer.concat([magic, context, frame]);
  solo.writeUInt16LE(0, magic.length + context.length + frameHeader + at.context);
  return solo;
}
