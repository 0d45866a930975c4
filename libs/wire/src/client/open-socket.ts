import type { Socket } from 'node:net';
import { TLSSocket, connect as connectTls } from 'node:tls';
import type { Clock } from '@sluice/domain/clock';
import { DirectSocket } from '../direct-socket.ts';
import { protocolFault, secureOptions, tlsFault } from '../tls.ts';
import type { TlsSource } from '../tls.ts';

export interface OpenSocketOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsSource | undefined;
  readonly clock: Clock;
  /** How long it may take, with the handshake. */
  readonly timeoutMs: number;
  readonly failed: (error: Error) => void;
}

/**
 * Connects, and secures what it has connected.
 * @param opened what is said on it from now on is HTTP/2
 * @returns the socket; whoever destroys it is told neither of success nor of failure
 */
export function openSocket(options: OpenSocketOptions, opened: (socket: Socket) => void): Socket {
  const { host, port, tls, clock, timeoutMs } = options;
  const socket =
    tls === undefined
      ? new DirectSocket({ noDelay: true }).connect({ host, port })
      : connectTls({ ...secureOptions(host, tls), port });
  const timer = clock.schedule(timeoutMs, () => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)));
  const failed = (error: Error): void => {
    timer.cancel();
    options.failed(tlsFault(error));
  };
  socket.once('error', failed);
  socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
    const fault = socket instanceof TLSSocket ? protocolFault(socket) : undefined;
    if (fault !== undefined) {
      socket.destroy(fault);
      return;
    }
    timer.cancel();
    socket.off('error', failed);
    opened(socket);
  });
  socket.once('close', () => timer.cancel());
  return socket;
}
