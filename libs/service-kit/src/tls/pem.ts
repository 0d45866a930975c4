import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { failedPrecondition } from '@sluice/domain/errors';

/** Far more than a bundle of all public authorities has. */
const mostBytes = 4 * 1024 * 1024;
const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** A file that a setting names. */
export interface NamedFile {
  /** As people give it, such as `SLUICE_TLS_CERT_FILE`. */
  readonly setting: string;
  readonly path: string;
}

const fault = ({ setting, path }: NamedFile, what: string): Error => failedPrecondition(`${setting}: ${path} ${what}`);

/** @throws SluiceError failed-precondition that names the setting */
export async function readPem(file: NamedFile): Promise<Buffer> {
  try {
    await using handle = await open(file.path);
    const { size } = await handle.stat();
    if (size > mostBytes) throw fault(file, `has ${size} bytes; that is no PEM file of certificates`);
    return await handle.readFile();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof RangeError) throw error;
    const why: Record<string, string> = { ENOENT: 'does not exist', EACCES: 'may not be read by this process' };
    throw fault(file, why[code] ?? `cannot be read (${code})`);
  }
}

/** All certificates of a file, the first of them whose it is. @throws SluiceError failed-precondition */
export function certificatesOf(file: NamedFile, pem: Buffer): [X509Certificate, ...X509Certificate[]] {
  const blocks = pem.toString('latin1').match(block) ?? [];
  try {
    const [first, ...rest] = blocks.map((text) => new X509Certificate(text));
    if (first !== undefined) return [first, ...rest];
  } catch {
    throw fault(file, 'holds a certificate that is damaged');
  }
  throw fault(file, 'holds no certificate in PEM');
}

/** @throws SluiceError failed-precondition */
export function keyOf(file: NamedFile, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const { code } = error as { readonly code?: string };
    if (code === 'ERR_MISSING_PASSPHRASE') throw fault(file, 'holds a key with a passphrase; give one without');
    throw fault(file, 'holds no private key in PEM');
  }
}
