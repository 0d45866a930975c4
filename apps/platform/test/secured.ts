import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { constantTls } from '@sluice/rpc/tls/source';
import type { TlsSource } from '@sluice/rpc/tls/source';
import { CertificateAuthority } from '@sluice/testkit/certificates';

export interface Secured {
  /** Has a platform, and all in it, speak TLS with those alone who have a certificate of its authority. */
  readonly args: readonly string[];
  /** What callers of it connect with. */
  readonly client: TlsSource;
}

/** Makes an authority and certificates for a platform, in its folder. */
export async function secured(home: string): Promise<Secured> {
  const authority = await CertificateAuthority.create();
  const { cert, key } = await authority.sign('sluice');
  const file = async (name: string, octets: Buffer): Promise<string> => {
    await writeFile(path.join(home, name), octets, { mode: 0o600 });
    return path.join(home, name);
  };
  const ca = await file('ca.pem', authority.cert);
  const args = [
    ...['--tls-cert-file', await file('cert.pem', cert), '--tls-key-file', await file('key.pem', key)],
    ...['--tls-ca-file', ca, '--tls-client-ca-file', ca],
  ];
  return { args, client: constantTls({ ...(await authority.sign('client')), ca: authority.cert }) };
}
