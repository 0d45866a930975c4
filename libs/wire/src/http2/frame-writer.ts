import { flags, frameHeaderOctets, frameTypes } from './frame-types.ts';
import { mostCopied } from './out-queue.ts';
import type { OutQueue } from './out-queue.ts';

/** Writes the header of a frame; its payload is to follow. */
export function writeFrameHeader(out: OutQueue, length: number, type: number, flag: number, streamId: number): void {
  const to = out.room(frameHeaderOctets);
  const at = out.claim(frameHeaderOctets);
  to[at] = length >>> 16;
  to[at + 1] = length >>> 8;
  to[at + 2] = length;
  to[at + 3] = type;
  to[at + 4] = flag;
  to[at + 5] = streamId >>> 24;
  to[at + 6] = streamId >>> 16;
  to[at + 7] = streamId >>> 8;
  to[at + 8] = streamId;
}

function writeWord(out: OutQueue, value: number): void {
  const to = out.room(4);
  to.writeUInt32BE(value, out.claim(4));
}

/** @param block a header block, which is cut where it is longer than a frame may be */
export function writeHeaders(
  out: OutQueue,
  streamId: number,
  block: Uint8Array,
  endStream: boolean,
  maxFrameSize: number,
): void {
  const first = Math.min(block.length, maxFrameSize);
  const ended = endStream ? flags.END_STREAM : 0;
  const whole = first === block.length ? flags.END_HEADERS : 0;
  writeFrameHeader(out, first, frameTypes.HEADERS, ended | whole, streamId);
  out.append(copied(block, 0, first));
  for (let at = first; at < block.length; at += maxFrameSize) {
    const end = Math.min(block.length, at + maxFrameSize);
    const last = end === block.length ? flags.END_HEADERS : 0;
    writeFrameHeader(out, end - at, frameTypes.CONTINUATION, last, streamId);
    out.append(copied(block, at, end));
  }
}

/** A block is the encoder's, which writes the next one there, and what is long is not copied by the queue. */
const copied = (block: Uint8Array, start: number, end: number): Uint8Array =>
  end - start > mostCopied ? Buffer.from(block.subarray(start, end)) : block.subarray(start, end);

/** @param octets nobody changes them until they are sent */
export function writeData(
  out: OutQueue,
  streamId: number,
  octets: Uint8Array,
  start: number,
  end: number,
  endStream: boolean,
): void {
  writeFrameHeader(out, end - start, frameTypes.DATA, endStream ? flags.END_STREAM : 0, streamId);
  out.append(octets, start, end);
}

/** The octets of the data are to follow. */
export function writeDataHeader(out: OutQueue, length: number, streamId: number, endStream: boolean): void {
  writeFrameHeader(out, length, frameTypes.DATA, endStream ? flags.END_STREAM : 0, streamId);
}

export function writeReset(out: OutQueue, streamId: number, code: number): void {
  writeFrameHeader(out, 4, frameTypes.RST_STREAM, 0, streamId);
  writeWord(out, code);
}

/** @param streamId 0: of the connection */
export function writeWindowUpdate(out: OutQueue, streamId: number, increment: number): void {
  writeFrameHeader(out, 4, frameTypes.WINDOW_UPDATE, 0, streamId);
  writeWord(out, increment);
}

export function writeSettings(out: OutQueue, payload: Uint8Array): void {
  writeFrameHeader(out, payload.length, frameTypes.SETTINGS, 0, 0);
  out.append(payload);
}

export function writeSettingsAck(out: OutQueue): void {
  writeFrameHeader(out, 0, frameTypes.SETTINGS, flags.ACK, 0);
}

/** @param data eight octets */
export function writePing(out: OutQueue, data: Uint8Array, ack: boolean): void {
  writeFrameHeader(out, 8, frameTypes.PING, ack ? flags.ACK : 0, 0);
  out.append(data);
}

/** Enough to say what happened. */
const mostDebugOctets = 256;

/** @param lastStreamId the last that was taken up, or may have been */
export function writeGoaway(out: OutQueue, lastStreamId: number, code: number, debug: string): void {
  const text = Buffer.from(debug, 'utf8').subarray(0, mostDebugOctets);
  writeFrameHeader(out, 8 + text.length, frameTypes.GOAWAY, 0, 0);
  writeWord(out, lastStreamId);
  writeWord(out, code);
  out.append(text);
}
