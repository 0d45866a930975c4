import { constants, deflate, gzip } from 'node:zlib';

/** Codings of messages that are taken (PROTOCOL-HTTP2.md, Message-Encoding), as `grpc-accept-encoding` says them. */
export const codings = ['identity', 'gzip', 'deflate'] as const;
export type Coding = (typeof codings)[number];

export const isCoding = (name: string): name is Coding => (codings as readonly string[]).includes(name);

/** Codings that make a message smaller. */
export type Compression = Exclude<Coding, 'identity'>;

/** What an answer or a request of ours says of codings that may be used with the other direction. */
export const acceptedCodings = ['grpc-accept-encoding', 'identity,deflate,gzip'] as const;

/** Whether a list of `grpc-accept-encoding` has the coding. Nothing is made of the list, which is a caller's and may be long. */
export function isAccepted(list: string, coding: Compression): boolean {
  for (let at = list.indexOf(coding); at >= 0; at = list.indexOf(coding, at + 1))
    if (endsAt(list, at, -1) && endsAt(list, at + coding.length - 1, 1)) return true;
  return false;
}

/** Whether behind the place there is a comma or nothing, and white space at most before that. @param step the direction: 1 or -1 */
function endsAt(list: string, place: number, step: 1 | -1): boolean {
  let at = place + step;
  // More white space than this has nobody but who looks for trouble.
  for (let spaces = 0; spaces < 8 && (list[at] === ' ' || list[at] === '\t'); spaces++) at += step;
  return list[at] === undefined || list[at] === ',';
}

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
