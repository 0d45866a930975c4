import { readFileSync } from 'node:fs';
import { constantTls, type TlsSource } from '@sluice/rpc/tls/source';

/** PEM files of a server that the bench starts. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Of the authority that has signed the certificate: what its clients trust. */
  readonly ca: string;
}

/** What that server is secured with. It takes everybody: h2load shows no certificate. */
export const serverTls = ({ cert, key }: Pick<TlsFiles, 'cert' | 'key'>): TlsSource =>
  constantTls({ cert: readFileSync(cert), key: readFileSync(key) });

/** What a client of it is secured with. @param caFile undefined: nothing, it has no TLS */
export const clientTls = (caFile: string | undefined): TlsSource | undefined =>
  caFile === undefined ? undefined : constantTls({ ca: readFileSync(caFile) });
