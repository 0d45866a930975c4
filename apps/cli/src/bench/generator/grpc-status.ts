import type { IncomingHttpHeaders } from 'node:http2';
import { statusName } from '@sluice/rpc/status';

export interface Status {
  readonly name: string;
  readonly message: string;
}

/** The status that headers or trailers carry; undefined when they carry none. */
export function statusOf(headers: IncomingHttpHeaders): Status | undefined {
  const code = headers['grpc-status'];
  if (typeof code !== 'string') return undefined;
  if (code === '0') return ok;
  const text = headers['grpc-message'];
  return { name: statusName(Number(code)), message: typeof text === 'string' ? decoded(text) : '' };
}

/** What a response is that is none of gRPC; undefined for one that may be. */
export function httpFailure(headers: IncomingHttpHeaders): Status | undefined {
  const status = headers[':status'] as unknown;
  return status === 200 ? undefined : { name: 'UNAVAILABLE', message: `HTTP status ${String(status)}` };
}

const ok: Status = { name: 'OK', message: '' };

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
