/** Status codes of gRPC that the transport itself gives. */
export const statusCodes = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** What must be encoded of a `grpc-message`: all but printable ASCII, and the percent sign (PROTOCOL-HTTP2.md, Responses). */
const toEncode = /[^ -$&-~]/;
const encodedOctets = Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x20 && octet <= 0x7e && octet !== 0x25
    ? String.fromCharCode(octet)
    : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`,
);

const space = 0x20;

/** A message as it travels: UTF-8, percent-encoded. White space at its ends is encoded too, as HTTP fields have none there. */
export function encodeMessage(message: string): string {
  if (!toEncode.test(message) && message === message.trim()) return message;
  return encodeOctets(Buffer.from(message, 'utf8'));
}

/** The same of its octets. Each is looked at once, and those at the ends twice: what peers say is among them, as long as they like. */
export function encodeOctets(octets: ArrayLike<number>): string {
  let start = 0;
  let end = octets.length;
  while (start < end && octets[start] === space) start++;
  while (end > start && octets[end - 1] === space) end--;
  let encoded = '%20'.repeat(start);
  for (let at = start; at < end; at++) encoded += encodedOctets[octets[at]!]!;
  return encoded + '%20'.repeat(octets.length - end);
}

const mostQuoted = 100;

/** What a peer said, for a message: no more of it than tells what it was. */
export const clipped = (text: string): string => (text.length > mostQuoted ? `${text.slice(0, mostQuoted)}…` : text);
/** The same in quotes. */
export const quoted = (text: string): string => JSON.stringify(clipped(text));

/** The message that was meant; what is not properly encoded stays as it is. */
export function decodeMessage(encoded: string): string {
  if (!encoded.includes('%')) return encoded;
  const octets: number[] = [];
  for (let at = 0; at < encoded.length; at++) {
    const digits = encoded[at] === '%' ? /^[0-9a-fA-F]{2}$/.exec(encoded.slice(at + 1, at + 3)) : null;
    if (digits === null) {
      octets.push(encoded.charCodeAt(at));
      continue;
    }
    octets.push(parseInt(digits[0], 16));
    at += 2;
  }
  return Buffer.from(octets).toString('utf8');
}

const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1 / 1000,
  n: 1 / 1_000_000,
};

/** A `grpc-timeout` in milliseconds; undefined when it is none. */
export function parseTimeout(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(amount) * unitMs[unit]!;
}

/** Milliseconds as a `grpc-timeout`, rounded up, and never longer than eight digits. */
export function formatTimeout(ms: number): string {
  const whole = Math.max(1, Math.ceil(ms));
  if (whole < 1e8) return `${whole}m`;
  const seconds = Math.ceil(whole / 1000);
  if (seconds < 1e8) return `${seconds}S`;
  return `${Math.min(99_999_999, Math.ceil(seconds / 3600))}H`;
}

/** The status of a call whose stream was reset (PROTOCOL-HTTP2.md, Errors). @param code of RFC 9113, section 7 */
export function statusOfReset(code: number): number {
  switch (code) {
    case 0x7:
      return statusCodes.UNAVAILABLE;
    case 0x8:
      return statusCodes.CANCELLED;
    case 0xb:
      return statusCodes.RESOURCE_EXHAUSTED;
    case 0xc:
      return statusCodes.PERMISSION_DENIED;
    default:
      return statusCodes.INTERNAL;
  }
}
