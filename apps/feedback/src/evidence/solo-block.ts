import { at, contextFrame, frameHeader, magic } from '@sluice/evidence/layout';
import { payloadStates } from '@sluice/evidence/record';

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

const captured = payloadStates.indexOf('captured');
const erased = payloadStates.indexOf('erased');

/**
 * A block that `soloBlock` made without the payloads of its record, which count as erased.
 */
export function withoutPayloads(solo: Uint8Array): Uint8Array {
  const bytes = Buffer.from(solo);
  const frame = magic.length + frameHeader + bytes.readUInt32LE(magic.length + 1);
  const base = frame + frameHeader;
  const payloads = bytes.readUInt32LE(base + at.requestLength) + bytes.readUInt32LE(base + at.responseLength);
  const states = bytes[base + at.payloadStates]!;
  const stateOf = (state: number): number => (state === captured ? erased : state);
  bytes[base + at.payloadStates] = stateOf(states & 0x0f) | (stateOf(states >> 4) << 4);
  bytes.writeUInt32LE(0, base + at.requestLength);
  bytes.writeUInt32LE(0, base + at.responseLength);
  bytes.writeUInt32LE(bytes.length - base - payloads, frame + 1);
  return bytes.subarray(0, bytes.length - payloads);
}
