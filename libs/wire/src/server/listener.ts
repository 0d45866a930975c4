import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { asDirect } from '../direct-socket.ts';
import { alpn, contextOptions, handshakeFault, protocolFault } from '../tls.ts';
import type { TlsSource } from '../tls.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls: TlsSource | undefined;
  /** How long a handshake may take. */
  readonly handshakeTimeoutMs: number;
  /** Somebody has connected; with TLS not secured yet. */
  readonly connected: (socket: Socket) => void;
  /** What is said on it from now on is HTTP/2. */
  readonly opened: (socket: Socket) => void;
  /** Nothing came of a connection. */
  readonly failed: (socket: Socket, error: Error) => void;
}

export interface Listener {
  readonly port: number;
  /** Takes no further connections; those that are not secured yet end. */
  close(): void;
}

/** Whose socket it is: an address and a port, which two do not have at once. */
export function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
}

/** Sockets as they come about, with TLS or without. @throws the socket's error, with its `code` */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { host, port, tls, connected } = options;
  /** By peer: the socket that is secured is another object than the one that it is made of. */
  const unsecured = new Map<string, Socket>();
  const server =
    tls === undefined ? createServer({ ...socketOptions, pauseOnConnect: true }) : secureServer(options, tls);
  if (tls === undefined) {
    server.on('connection', (accepted) => {
      const socket = asDirect(accepted);
      connected(socket);
      options.opened(socket);
    });
  } else {
    server.on('connection', connected);
    server.on('connection', (socket) => {
      const peer = peerOf(socket);
      unsecured.set(peer, socket);
      socket.once('close', () => unsecured.delete(peer));
    });
    server.prependListener('secureConnection', (socket: TLSSocket) => unsecured.delete(peerOf(socket)));
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const socket of unsecured.values()) socket.destroy();
    },
  };
}

const socketOptions = { allowHalfOpen: true, noDelay: true } as const;

function secureServer({ handshakeTimeoutMs, opened, failed }: ListenerOptions, tls: TlsSource): Server {
  const server = createTlsServer({
    ...{ ...socketOptions, ...contextOptions(tls.current), ALPNProtocols: alpn, handshakeTimeout: handshakeTimeoutMs },
    requestCert: tls.current.ca !== undefined,
    rejectUnauthorized: true,
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const fault = protocolFault(socket);
    if (fault === undefined) opened(socket);
    else {
      failed(socket, fault);
      socket.destroy();
    }
  });
  server.on('tlsClientError', (error, socket) => {
    failed(socket, handshakeFault(error));
    socket.destroy();
  });
  const unfollow = tls.onChange(() => server.setSecureContext(contextOptions(tls.current)));
  server.once('close', unfollow);
  return server;
}
