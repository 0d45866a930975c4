import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CertificateAuthority } from '@sluice/testkit/certificates';
import type { TlsFiles } from './tls-files.ts';

/** Writes a new certificate for this machine (ECDSA on P-256, good for 30 days), its key and its authority's certificate. */
export async function writeCertificates(folder: string): Promise<TlsFiles> {
  const authority = await CertificateAuthority.create('bench authority');
  const { cert, key } = await authority.sign('bench');
  mkdirSync(folder, { recursive: true });
  const file = (name: string, octets: Buffer): string => {
    const written = path.join(folder, name);
    writeFileSync(written, octets, { mode: 0o600 });
    return written;
  };
  return { cert: file('cert.pem', cert), key: file('key.pem', key), ca: file('ca.pem', authority.cert) };
}

/** The same, when they are first asked for; whoever asks later gets these too. */
export function certificatesIn(folder: string): () => Promise<TlsFiles> {
  let written: Promise<TlsFiles> | undefined;
  return () => (written ??= writeCertificates(folder));
}
