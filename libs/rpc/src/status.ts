import { SluiceError, errorKinds } from '@sluice/domain/errors';
import type { ErrorKind } from '@sluice/domain/errors';
import type { FailureOrigin } from '@sluice/resilience/retry-rule';

export type { FailureOrigin } from '@sluice/resilience/retry-rule';

/** gRPC's status codes. */
export const statusCodes = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
export type StatusName = keyof typeof statusCodes;
export type StatusCode = (typeof statusCodes)[StatusName];

/** The one table from kinds of failure to statuses; the compiler finds a missing kind. */
const statusByKind: Readonly<Record<ErrorKind, StatusName>> = {
  'invalid-argument': 'INVALID_ARGUMENT',
  'not-found': 'NOT_FOUND',
  'already-exists': 'ALREADY_EXISTS',
  'failed-precondition': 'FAILED_PRECONDITION',
  'out-of-range': 'OUT_OF_RANGE',
  conflict: 'ABORTED',
  'permission-denied': 'PERMISSION_DENIED',
  'resource-exhausted': 'RESOURCE_EXHAUSTED',
  'deadline-exceeded': 'DEADLINE_EXCEEDED',
  cancelled: 'CANCELLED',
  unavailable: 'UNAVAILABLE',
  unimplemented: 'UNIMPLEMENTED',
  'data-loss': 'DATA_LOSS',
  'model-failed': 'INTERNAL',
  internal: 'INTERNAL',
};

/** The way back. Statuses that no kind of ours makes come from other servers. */
const kindByStatus: Readonly<Record<Exclude<StatusName, 'OK'>, ErrorKind>> = {
  CANCELLED: 'cancelled',
  UNKNOWN: 'internal',
  INVALID_ARGUMENT: 'invalid-argument',
  DEADLINE_EXCEEDED: 'deadline-exceeded',
  NOT_FOUND: 'not-found',
  ALREADY_EXISTS: 'already-exists',
  PERMISSION_DENIED: 'permission-denied',
  RESOURCE_EXHAUSTED: 'resource-exhausted',
  FAILED_PRECONDITION: 'failed-precondition',
  ABORTED: 'conflict',
  OUT_OF_RANGE: 'out-of-range',
  UNIMPLEMENTED: 'unimplemented',
  INTERNAL: 'internal',
  UNAVAILABLE: 'unavailable',
  DATA_LOSS: 'data-loss',
  UNAUTHENTICATED: 'permission-denied',
};

const names = Object.keys(statusCodes) as StatusName[];

export const statusOf = (kind: ErrorKind): StatusCode => statusCodes[statusByKind[kind]];
/** The name of a code; UNKNOWN for numbers that gRPC does not define. */
export const statusName = (code: number): StatusName => names[code] ?? 'UNKNOWN';
export const kindOf = (code: number): ErrorKind => {
  const name = statusName(code);
  return name === 'OK' ? 'internal' : kindByStatus[name];
};

/** Trailer with the wait in milliseconds before a retry. */
export const pushbackTrailer = 'grpc-retry-pushback-ms';
/** Trailer of every failure that our own code answered, with its kind; without it the transport made the status. */
export const kindTrailer = 'sluice-kind';

/** Trailer of a failure after which nobody is to send the request again: see `SluiceErrorOptions.neverAgain`. */
export const neverAgainTrailer = 'sluice-never-again';

/** Longest message that is sent, percent-encoded: HTTP/2 peers bound the size of all trailers, commonly at 8 KiB. */
const maxMessageBytes = 4_000;

export interface WireStatus {
  readonly code: StatusCode;
  readonly message: string;
  readonly trailers: Readonly<Record<string, string>>;
  /** What to log and never to send; undefined when there is nothing to look into. */
  readonly cause: unknown;
}

/** Anything that was thrown as the status to send: unknown errors become INTERNAL "internal error" with their cause kept here. */
export function toWire(thrown: unknown): WireStatus {
  const error = SluiceError.from(thrown);
  const trailers: Record<string, string> = { [kindTrailer]: error.kind };
  if (error.retryAfterMs !== undefined) trailers[pushbackTrailer] = String(Math.ceil(error.retryAfterMs));
  if (error.neverAgain) trailers[neverAgainTrailer] = 'true';
  const isDefect = error.kind === 'internal' || error.kind === 'data-loss';
  return {
    code: statusOf(error.kind),
    message: wireMessage(error.message),
    trailers,
    cause: isDefect ? (error.cause ?? error) : undefined,
  };
}

/**
 * A message that survives the wire: no lone surrogates (percent-encoding them throws), no white space at its ends
 * (nghttp2 drops a header value that ends in one), bounded length.
 */
export function wireMessage(message: string): string {
  const whole = message.slice(0, maxMessageBytes).toWellFormed().trim();
  if (message.length <= maxMessageBytes && encodeURI(whole).length <= maxMessageBytes) return whole;
  let [kept, bytes] = ['', 0];
  for (const character of whole) {
    bytes += encodeURI(character).length;
    if (bytes > maxMessageBytes) break;
    kept += character;
  }
  return `${kept}...`;
}

/** A failed call as its caller sees it. */
export class RpcError extends SluiceError {
  readonly origin: FailureOrigin;
  readonly code: StatusCode;
  /** Trailers by lower-case name; `sluice-prediction-id` is here on failures of the inference service. */
  readonly trailers: Readonly<Record<string, string>>;

  constructor(
    kind: ErrorKind,
    message: string,
    details: {
      readonly origin: FailureOrigin;
      readonly code: StatusCode;
      readonly trailers?: Readonly<Record<string, string>>;
      readonly retryAfterMs?: number | undefined;
    },
  ) {
    const { retryAfterMs, trailers = {} } = details;
    const neverAgain = Object.hasOwn(trailers, neverAgainTrailer);
    super(kind, message, { neverAgain, ...(retryAfterMs !== undefined && { retryAfterMs }) });
    this.name = 'RpcError';
    this.origin = details.origin;
    this.code = details.code;
    this.trailers = trailers;
  }
}

/** What a call ended with, without types of the transport. */
export interface ReceivedStatus {
  readonly code: number;
  readonly details: string;
  readonly trailers: Readonly<Record<string, string>>;
}

/**
 * A received status as an error.
 *
 * @param peer the address that was called, for the message of a connection failure
 * @param cancelledHere whether this side cancelled
 */
export function fromWire(status: ReceivedStatus, peer: string, cancelledHere = false): RpcError {
  const code = statusCodes[statusName(status.code)];
  const origin = originOf(status, cancelledHere);
  const base = { origin, code, trailers: status.trailers };
  if (origin === 'unsent')
    return new RpcError('unavailable', `${peer} cannot be reached: ${transportReason(status)}`, base);
  if (origin === 'lost')
    return new RpcError('unavailable', `the connection to ${peer} broke: ${transportReason(status)}`, base);
  return answeredWith(status, origin);
}

/** A status that the other side itself made, unless `origin` says otherwise: its words say nothing of a transport. */
export function answeredWith(status: ReceivedStatus, origin: FailureOrigin = 'answered'): RpcError {
  const code = statusCodes[statusName(status.code)];
  const base = { origin, code, trailers: status.trailers };
  const pushback = Number(status.trailers[pushbackTrailer] ?? Number.NaN);
  const retryAfterMs = Number.isFinite(pushback) && pushback >= 0 ? pushback : undefined;
  return new RpcError(kindOfAnswer(code, status.trailers), status.details, { ...base, retryAfterMs });
}

/** Two kinds may have one status: the trailer of our own servers says which, where it does not contradict the status. */
function kindOfAnswer(code: StatusCode, trailers: ReceivedStatus['trailers']): ErrorKind {
  const told = errorKinds.find((kind) => kind === trailers[kindTrailer]);
  return told !== undefined && statusOf(told) === code ? told : kindOf(code);
}

/** grpc-js's words around the system's own reason say nothing to whoever reads them. */
export const transportReason = ({ details }: Pick<ReceivedStatus, 'details'>): string =>
  details
    .replace(/^No connection established\. Last error: (?:Error: )?/, '')
    .replace(/\.? ?Resolution note: ?$/, '')
    .trim();

const brokenTransport = /RST_STREAM|ECONNRESET|EPIPE|ETIMEDOUT|socket|GOAWAY/i;
/** A stream that was refused was not worked on, whatever had been written to it (RFC 9113, 8.7). */
const neverSent =
  /^(No connection established|Name resolution failed|Stream refused|Failed to connect|Failed to start HTTP\/2 stream)|NGHTTP2_REFUSED_STREAM/i;
const noAddress = /ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN/;

function originOf(status: ReceivedStatus, cancelledHere: boolean): FailureOrigin {
  if (kindTrailer in status.trailers) return 'answered';
  switch (statusName(status.code)) {
    case 'CANCELLED':
      // grpc-js reports a session that was destroyed by the peer as CANCELLED.
      return cancelledHere ? 'local' : 'lost';
    case 'DEADLINE_EXCEEDED':
      return 'local';
    case 'UNAVAILABLE':
      if (neverSent.test(status.details) || noAddress.test(status.details)) return 'unsent';
      return /dropped|ECONN|EPIPE|ETIMEDOUT|closed|GOAWAY/i.test(status.details) ? 'lost' : 'answered';
    case 'INTERNAL':
    case 'UNKNOWN':
      return brokenTransport.test(status.details) ? 'lost' : 'answered';
    case 'OK':
    case 'INVALID_ARGUMENT':
    case 'NOT_FOUND':
    case 'ALREADY_EXISTS':
    case 'PERMISSION_DENIED':
    case 'RESOURCE_EXHAUSTED':
    case 'FAILED_PRECONDITION':
    case 'ABORTED':
    case 'OUT_OF_RANGE':
    case 'UNIMPLEMENTED':
    case 'DATA_LOSS':
    case 'UNAUTHENTICATED':
      return 'answered';
  }
}
