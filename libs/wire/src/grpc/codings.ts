import { createGunzip, createInflate, gunzipSync, inflateSync } from 'node:zlib';
import { MessageFault } from './message-reader.ts';

/** Codings of messages that are taken (PROTOCOL-HTTP2.md, Message-Encoding), as `grpc-accept-encoding` says them. */
export const codings = ['identity', 'gzip', 'deflate'] as const;
export type Coding = (typeof codings)[number];

export const isCoding = (name: string): name is Coding => (codings as readonly string[]).includes(name);

/** Up to so many octets a message is inflated where it stands, which costs less than another thread does. */
const mostInPlace = 1024;

/**
 * The message that was compressed. One of more than a few octets is inflated in another thread. It ends at the limit, whatever would come.
 * @param maxOctets of the message when it is inflated
 * @param reserve room for what is inflated in another thread; throws a MessageFault when there is none
 * @returns at once where it is small
 * @throws MessageFault, or rejects with it
 */
export function inflate(
  octets: Buffer,
  coding: Coding,
  maxOctets: number,
  reserve: (octets: number) => void = () => undefined,
): Buffer | Promise<Buffer> {
  if (coding === 'identity') return octets;
  // A small one may become a thousand times as large: more than that is not done here.
  if (octets.length > mostInPlace) return inflateBeside(octets, coding, maxOctets, reserve);
  try {
    const options = { maxOutputLength: Math.min(maxOctets, 1024 * mostInPlace) };
    return coding === 'gzip' ? gunzipSync(octets, options) : inflateSync(octets, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' && maxOctets > 1024 * mostInPlace)
      return inflateBeside(octets, coding, maxOctets, reserve);
    throw faultOf(error, coding, maxOctets);
  }
}

function inflateBeside(
  octets: Buffer,
  coding: Coding,
  maxOctets: number,
  reserve: (octets: number) => void,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = coding === 'gzip' ? createGunzip() : createInflate();
    const pieces: Buffer[] = [];
    let length = 0;
    stream.on('data', (piece: Buffer) => {
      length += piece.length;
      try {
        if (length > maxOctets) throw tooLarge(maxOctets);
        reserve(piece.length);
        pieces.push(piece);
      } catch (error) {
        stream.destroy(error as Error);
      }
    });
    stream.on('end', () => resolve(Buffer.concat(pieces, length)));
    stream.on('error', (error) => reject(faultOf(error, coding, maxOctets)));
    stream.end(octets);
  });
}

const tooLarge = (maxOctets: number): MessageFault =>
  new MessageFault(
    'too-large',
    `the request has more bytes than the limit of ${maxOctets} when it is decompressed; send less at once`,
  );

function faultOf(error: unknown, coding: Coding, maxOctets: number): MessageFault {
  if (error instanceof MessageFault) return error;
  if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(maxOctets);
  return new MessageFault('malformed', `a message that does not decompress as ${coding}`);
}
