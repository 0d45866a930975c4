import { requestHead } from '../grpc/request-head.ts';
import type { Refusal } from '../grpc/request-head.ts';
import { answerHead } from '../grpc/answering.ts';
import { ServerCall, noRoomDetails } from '../grpc/server-call.ts';
import type { CallHost, CallObserver } from '../grpc/server-call.ts';
import { quoted, statusCodes } from '../grpc/status.ts';
import type { HeaderBlock } from '../hpack/header-block.ts';
import type { Http2Stream } from '../http2/http2-stream.ts';
import type { ServerConnection } from '../http2/server-connection.ts';

/** Begins a call: gives it its sink and its observer, or ends it. */
export type Begin = (call: ServerCall) => void;

export interface WireMethod {
  readonly begin: Begin;
  /** Who is told of a call that ends before it begins. */
  readonly observe?: () => CallObserver;
}

/** A stream that a client has opened. */
export interface Opened {
  readonly connection: ServerConnection;
  readonly stream: Http2Stream;
  readonly block: HeaderBlock;
  /** Nothing comes behind these fields. */
  readonly ended: boolean;
}

const noRoom: Extract<Refusal, { readonly kind: 'grpc' }> = {
  ...{ kind: 'grpc', code: statusCodes.RESOURCE_EXHAUSTED, details: noRoomDetails },
};

/** Makes a call of a stream, or says why it is none. @param methods by their paths */
export function accept(methods: ReadonlyMap<string, WireMethod>, host: CallHost, opened: Opened): void {
  const { connection, stream, block, ended } = opened;
  const head = requestHead(block);
  const { refusal } = head;
  if (refusal?.kind === 'malformed') {
    connection.resetForFault(stream, 'PROTOCOL_ERROR');
    return;
  }
  if (refusal?.kind === 'http') {
    refuse(connection, stream, refusal.status);
    return;
  }
  const call = new ServerCall(host, connection, stream, head);
  stream.sink = call;
  const method = methods.get(head.path);
  if (method === undefined)
    call.refuse(statusCodes.UNIMPLEMENTED, `The server does not implement the method ${quoted(head.path)}`);
  else if (refusal === undefined && call.holdHead()) method.begin(call);
  else {
    call.observer = method.observe?.();
    const { code, details, fields } = refusal ?? noRoom;
    call.refuse(code, details, fields);
  }
  // Nothing else will say so of a request that has no data at all.
  if (ended && !stream.isOver) call.ended();
}

/** Answers what is not gRPC in the words of HTTP. */
function refuse(connection: ServerConnection, stream: Http2Stream, status: number): void {
  stream.sink = {
    ...{ headers: () => undefined, ended: () => undefined, aborted: () => undefined, drained: () => undefined },
    data: (_chunk, start, end) => connection.consume(stream, end - start),
    sentEnd: () => connection.cancel(stream, 'NO_ERROR'),
  };
  // A client of gRPC that went through all the same finds a status too.
  const code = status === 431 ? statusCodes.RESOURCE_EXHAUSTED : statusCodes.INTERNAL;
  connection.headers(
    stream,
    [':status', String(status), ...answerHead.slice(2), 'grpc-status', String(code)],
    false,
    true,
  );
}
