import { connect } from 'node:tls';
import type { TlsSource } from '@sluice/rpc/tls/source';
import { secureOptions } from '@sluice/wire/tls';

/** What a server negotiates with a client of ours, such as `TLSv1.3`. @throws Error when it negotiates nothing */
export async function tlsVersion(address: string, tls: TlsSource): Promise<string | undefined> {
  const { hostname, port } = new URL(`https://${address}`);
  const socket = connect({ ...secureOptions(hostname, tls), port: Number(port) });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    return socket.getProtocol() ?? undefined;
  } finally {
    socket.destroy();
  }
}
