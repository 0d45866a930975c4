import type { Fields } from '../http2/fields.ts';
import { valueOf } from '../http2/fields.ts';
import { clipped, decodeMessage, statusCodes } from '../grpc/status.ts';

/** How a call ended. */
export interface CallStatus {
  readonly code: number;
  readonly details: string;
  /** Trailers, names and values in turn. */
  readonly trailers: readonly string[];
  /**
   * Whose word it is: `answered` the server's; `unsent`: the server has not worked on it, so that it may be sent elsewhere; `lost`: it was on its way when
   * the connection or the stream went; `here`: it was cancelled, or its deadline passed.
   */
  readonly origin: 'answered' | 'unsent' | 'lost' | 'here';
}

/** The status of what is not gRPC, by its HTTP status (doc/http-grpc-status-mapping.md of grpc/grpc). */
const byHttpStatus: Readonly<Record<string, number>> = {
  400: statusCodes.INTERNAL,
  401: statusCodes.UNAUTHENTICATED,
  403: statusCodes.PERMISSION_DENIED,
  404: statusCodes.UNIMPLEMENTED,
  429: statusCodes.UNAVAILABLE,
  502: statusCodes.UNAVAILABLE,
  503: statusCodes.UNAVAILABLE,
  504: statusCodes.UNAVAILABLE,
};

/** @returns why a response is none of gRPC; undefined when it may be */
export function refusedByHttp({ pseudo, regular }: Fields): CallStatus | undefined {
  const status = pseudo.get(':status')!;
  // A status of gRPC stands whatever HTTP says.
  if (valueOf(regular, 'grpc-status') !== undefined) return undefined;
  const type = valueOf(regular, 'content-type') ?? 'none';
  if (status === '200' && type.startsWith('application/grpc')) return undefined;
  const code = status === '200' ? statusCodes.UNKNOWN : (byHttpStatus[status] ?? statusCodes.UNKNOWN);
  const details = `the server answered HTTP status ${status} with content-type ${clipped(type)}: is there gRPC on this port?`;
  return { code, details, trailers: regular, origin: 'answered' };
}

/** What trailers say. */
export function statusOfTrailers({ regular }: Fields): CallStatus {
  const text = valueOf(regular, 'grpc-status');
  if (text === undefined || !/^\d{1,4}$/.test(text))
    return {
      code: statusCodes.UNKNOWN,
      details: 'the server ended without a status',
      trailers: regular,
      origin: 'answered',
    };
  const details = decodeMessage(valueOf(regular, 'grpc-message') ?? '');
  return { code: Number(text), details, trailers: regular, origin: 'answered' };
}
