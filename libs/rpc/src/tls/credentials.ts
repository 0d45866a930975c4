import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { CallCredentials, ChannelCredentials, ServerCredentials, experimental } from '@grpc/grpc-js';
import type { ChannelOptions } from '@grpc/grpc-js';
import { contextOptions, protocolFault, secureOptions, tlsFault } from '@sluice/wire/tls';
import type { TlsSource } from '@sluice/wire/tls';

/** What a server of grpc-js is secured with; like libs/wire, it takes changes without a restart. @param tls undefined: plain connections */
export function serverCredentials(tls: TlsSource | undefined): ServerCredentials {
  return tls === undefined ? ServerCredentials.createInsecure() : new ChangingServerCredentials(tls);
}

/** What grpc-js's own are for files: here the files are somebody else's, and the rules those of libs/wire. */
class ChangingServerCredentials extends ServerCredentials {
  constructor(tls: TlsSource) {
    // Whoever shows a certificate that no authority has signed is sent away, as is who shows none.
    super({ requestCert: tls.current.ca !== undefined, rejectUnauthorized: true }, contextOptions(tls.current));
    this.#unfollow = tls.onChange(() => this.updateSecureContextOptions(contextOptions(tls.current)));
  }

  readonly #unfollow: () => void;

  override _removeWatcher(watcher: Parameters<ServerCredentials['_removeWatcher']>[0]): void {
    super._removeWatcher(watcher);
    if (this.getWatcherCount() === 0) this.#unfollow();
  }

  _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}

/** What a channel of grpc-js is secured with; each of its connections with what is current then. @param tls undefined: plain connections */
export function channelCredentials(tls: TlsSource | undefined): ChannelCredentials {
  return tls === undefined ? ChannelCredentials.createInsecure() : new SourceCredentials(tls);
}

/** grpc-js's own name an address in the handshake as if it were a name, which Node does not do any more: they connect to names only. */
class SourceCredentials extends ChannelCredentials {
  readonly #tls: TlsSource;

  constructor(tls: TlsSource) {
    super();
    this.#tls = tls;
  }

  _isSecure(): boolean {
    return true;
  }

  _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  _createSecureConnector(
    target: experimental.GrpcUri,
    _options: ChannelOptions,
    callCredentials = CallCredentials.createEmpty(),
  ): experimental.SecureConnector {
    const host = experimental.splitHostPort(target.path)?.host ?? target.path;
    return {
      connect: async (socket) => ({ socket: await secured(socket, host, this.#tls), secure: true }),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials,
      destroy: () => undefined,
    };
  }
}

function secured(socket: Socket, host: string, tls: TlsSource): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const secure = connect({ ...secureOptions(host, tls), socket });
  secure.on('error', (error) => {
    // Later ones are for whoever has the socket then, who shows their message as it is.
    error.message = tlsFault(error).message;
    reject(error);
  });
  secure.once('secureConnect', () => {
    const fault = protocolFault(secure);
    if (fault === undefined) resolve(secure);
    else secure.destroy(fault);
  });
  return promise;
}
