import { at, contextFrame, frameHeader, magic } from '@sluice/evidence/layout';

/**
 * A block with one record of another block, octet for octet, and its context.
 *
 * @param block one that `readBlock` reads
 * @param index of the record among those of the block
 */
export function soloBlock(block: Uint8Array, index: number): Uint8Array {
  const { contexts, records } = framesOf(block);
  const frame = records[index];
  if (!frame) throw new RangeError(`the block has ${records.length} records, none with index ${index}`);
  return alone(frame, contexts);
}

interface Frames {
  readonly contexts: readonly Buffer[];
  readonly records: readonly Buffer[];
}

/** Of a block all of whose records are dead each of them is wanted: it is gone through once. */
const known = new WeakMap<Uint8Array, Frames>();

function framesOf(block: Uint8Array): Frames {
  const found = known.get(block);
  if (found) return found;
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  const [contexts, records]: [Buffer[], Buffer[]] = [[], []];
  for (let pos = magic.length; pos < bytes.length;) {
    const end = pos + frameHeader + bytes.readUInt32LE(pos + 1);
    (bytes[pos] === contextFrame ? contexts : records).push(bytes.subarray(pos, end));
    pos = end;
  }
  const frames = { contexts, records };
  known.set(block, frames);
  return frames;
}

function alone(frame: Buffer, contexts: readonly Buffer[]): Uint8Array {
  const context = contexts[frame.readUInt16LE(frameHeader + at.context)]!;
  const solo = Buffer.concat([magic, context, frame]);
  solo.writeUInt16LE(0, magic.length + context.length + frameHeader + at.context);
  return solo;
}
