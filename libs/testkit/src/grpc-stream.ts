import http2 from 'node:http2';

/** How a stream ended: code and text of its status, and all its trailers. */
export interface StreamEnd {
  readonly code: number;
  readonly message: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

/** A bidirectional gRPC stream by hand: any bytes can be sent, and what comes is seen as it is. */
export interface GrpcStream {
  /** Messages that came, in their order. */
  readonly messages: Buffer[];
  readonly end: Promise<StreamEnd>;
  send(...messages: readonly Uint8Array[]): void;
  halfClose(): void;
  cancel(): void;
  /** Closes the connection. */
  close(): void;
}

/**
 * Opens a stream over a connection of its own.
 *
 * @param address `host:port`
 * @param path such as `/inference.GRPCInferenceService/ModelStreamInfer`
 */
export function openGrpcStream(
  address: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): GrpcStream {
  const session = http2.connect(`http://${address}`);
  session.on('error', () => undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const seen: Record<string, unknown> = {};
  const messages: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let isRead = false;
  // A server that ends a stream leaves it to its caller to end its own half.
  const closeIfDone = (): void => {
    if (isRead && seen['grpc-status'] !== undefined) stream.close();
  };
  stream.on('end', () => {
    isRead = true;
    closeIfDone();
  });
  for (const event of ['response', 'trailers'])
    stream.on(event, (received: object) => {
      Object.assign(seen, received);
      closeIfDone();
    });
  stream.on('error', () => undefined);
  stream.on('data', (data: Buffer) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const size = 5 + rest.readUInt32BE(1);
      messages.push(rest.subarray(5, size));
      rest = rest.subarray(size);
    }
  });
  const end = new Promise<StreamEnd>((resolve) => {
    stream.on('close', () => {
      const text = seen['grpc-message'];
      // No status is what a caller that cancelled, or lost its connection, has.
      const code = seen['grpc-status'] === undefined ? 1 : Number(seen['grpc-status']);
      resolve({ code, message: typeof text === 'string' ? decodeURI(text) : '', trailers: seen });
    });
  });
  return {
    messages,
    end,
    send: (...all) => void stream.write(Buffer.concat(all.map(frame))),
    halfClose: () => void stream.end(),
    cancel: () => stream.close(http2.constants.NGHTTP2_CANCEL),
    close: () => session.destroy(),
  };
}

function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(5 + message.byteLength);
  framed.writeUInt32BE(message.byteLength, 1);
  framed.set(message, 5);
  return framed;
}
