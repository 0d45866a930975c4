import { clientPreface, flags, frameHeaderOctets, frameTypes } from '../src/http2/frame-types.ts';

/** A frame as bytes. @param payload bytes, or hexadecimal digits */
export function frame(type: number, flag: number, streamId: number, payload: Uint8Array | string = ''): Buffer {
  const octets = typeof payload === 'string' ? Buffer.from(payload.replaceAll(' ', ''), 'hex') : payload;
  const header = Buffer.alloc(frameHeaderOctets);
  header.writeUIntBE(octets.length, 0, 3);
  header[3] = type;
  header[4] = flag;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, octets]);
}

export const settings = (payload = ''): Buffer => frame(frameTypes.SETTINGS, 0, 0, payload);
export const settingsAck = (): Buffer => frame(frameTypes.SETTINGS, flags.ACK, 0);
export const data = (streamId: number, payload: Uint8Array | string = '', flag = 0): Buffer =>
  frame(frameTypes.DATA, flag, streamId, payload);
export const word = (value: number): Buffer => {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
};
export const windowUpdate = (streamId: number, increment: number): Buffer =>
  frame(frameTypes.WINDOW_UPDATE, 0, streamId, word(increment));
export const rstStream = (streamId: number, code = 8): Buffer => frame(frameTypes.RST_STREAM, 0, streamId, word(code));
export const ping = (flag = 0, payload = '0102030405060708'): Buffer => frame(frameTypes.PING, flag, 0, payload);
export const priority = (streamId: number): Buffer => frame(frameTypes.PRIORITY, 0, streamId, '00000000 10');
export const goaway = (lastStreamId = 0, code = 0): Buffer =>
  frame(frameTypes.GOAWAY, 0, 0, Buffer.concat([word(lastStreamId), word(code)]));

/** `:method: POST`, `:scheme: http`, `:path: /`, from the static table. */
export const requestBlock = '83 86 84';
export const headers = (
  streamId: number,
  flag: number = flags.END_HEADERS,
  block: Uint8Array | string = requestBlock,
) => frame(frameTypes.HEADERS, flag, streamId, block);
/** HEADERS that end their stream. */
export const request = (streamId: number): Buffer => headers(streamId, flags.END_HEADERS | flags.END_STREAM);

/** What a client that keeps to the protocol begins with. */
export const hello = (): Buffer => Buffer.concat([clientPreface, settings()]);

/** A frame for people and comparisons. */
export interface Parsed {
  readonly type: string;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

const names = Object.fromEntries(Object.entries(frameTypes).map(([name, type]) => [type, name]));

export function parse(bytes: Uint8Array): Parsed[] {
  const frames: Parsed[] = [];
  const from = Buffer.from(bytes);
  for (let at = 0; at < from.length;) {
    const length = from.readUIntBE(at, 3);
    const payload = from.subarray(at + frameHeaderOctets, at + frameHeaderOctets + length);
    if (payload.length < length) throw new Error('the octets end within a frame');
    const type = names[from[at + 3]!] ?? String(from[at + 3]);
    frames.push({ type, flags: from[at + 4]!, streamId: from.readUInt32BE(at + 5), payload });
    at += frameHeaderOctets + length;
  }
  return frames;
}
