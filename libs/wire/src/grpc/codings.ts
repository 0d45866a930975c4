import { constants, createGunzip, createInflate, deflate, gunzipSync, gzip, inflateSync } from 'node:zlib';
import { MessageFault } from './message-reader.ts';

/** Codings of messages that are taken (PROTOCOL-HTTP2.md, Message-Encoding), as `grpc-accept-encoding` says them. */
export const codings = ['identity', 'gzip', 'deflate'] as const;
export type Coding = (typeof codings)[number];

export const isCoding = (name: string): name is Coding => (codings as readonly string[]).includes(name);

/** Codings that make a message smaller. */
export type Compression = Exclude<Coding, 'identity'>;

/** What an answer or a request of ours says of codings that may be used with the other direction. */
export const acceptedCodings = ['grpc-accept-encoding', 'identity,deflate,gzip'] as const;

/** Whether a list of `grpc-accept-encoding` has the coding. */
export const isAccepted = (list: string, coding: Compression): boolean =>
  list.split(',').some((name) => name.trim() === coding);

/** Messages of fewer octets are not worth it. */
export const leastCompressed = 1024;

// Networks are quick, and requests wait: little is gained by the slower levels.
const quick = { level: constants.Z_BEST_SPEED };

/**
 * Compresses a message in another thread.
 * @param done with undefined where it does not become smaller
 */
export function compress(octets: Uint8Array, coding: Compression, done: (smaller: Buffer | undefined) => void): void {
  const take = (error: Error | null, compressed: Buffer): void =>
    done(error === null && compressed.length < octets.length ? compressed : undefined);
  if (coding === 'gzip') gzip(octets, quick, take);
  else deflate(octets, quick, take);
}

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
