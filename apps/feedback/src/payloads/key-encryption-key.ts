import { createHash, hkdfSync } from 'node:crypto';
import { failedPrecondition, invalidArgument } from '@sluice/domain/errors';
import { readPrivateFile } from '@sluice/service-kit/private-file';

/** Wraps the keys of subjects. It is never stored beside what it wraps. */
export interface KeyEncryptionKey {
  /** Tells keys apart after a rotation, and says nothing of the key. */
  readonly id: string;
  readonly key: Uint8Array;
}

/** Where keys are to be had. */
export interface KeySettings {
  /** Empty unless the key comes from the environment. */
  readonly key: string;
  /** Empty unless it comes from a file. */
  readonly keyFile: string;
  /** Files of other keys that may have wrapped what is in the database. */
  readonly formerKeyFiles: readonly string[];
}

/** The key that wraps, and those that only unwrap. */
export interface KeyEncryptionKeys {
  readonly current: KeyEncryptionKey;
  readonly former: readonly KeyEncryptionKey[];
}

const howToMake = 'make one with `openssl rand -hex 32` under umask 077 and point SLUICE_FEEDBACK_KEY_FILE at it';
const hex = /^[0-9a-f]{64}\s*$/i;

/**
 * Reads the keys that the settings name.
 *
 * @throws SluiceError failed-precondition for a file that is missing, may be read by others or holds anything but 64 hex digits;
 *   invalid-argument when no key is named, or two are
 */
export async function readKeys({ key, keyFile, formerKeyFiles }: KeySettings): Promise<KeyEncryptionKeys> {
  if ((key === '') === (keyFile === ''))
    throw invalidArgument(
      `give SLUICE_FEEDBACK_KEY_FILE or SLUICE_FEEDBACK_KEY, ${key === '' ? 'one of them' : 'not both'}: ${howToMake}`,
    );
  const current = key === '' ? await readKey(keyFile) : keyOf(key, 'SLUICE_FEEDBACK_KEY');
  return { current, former: await Promise.all(formerKeyFiles.map(readKey)) };
}

async function readKey(file: string): Promise<KeyEncryptionKey> {
  return keyOf(await readPrivateFile(file, 'feedback key', howToMake), `feedback key file ${file}`);
}

function keyOf(text: string, what: string): KeyEncryptionKey {
  if (!hex.test(text)) throw failedPrecondition(`${what} does not hold 64 hex digits: ${howToMake}`);
  return keyEncryptionKey(Buffer.from(text.trim(), 'hex'));
}

/** The key that is made of 32 octets (HKDF with SHA-256, RFC 5869). */
export function keyEncryptionKey(secret: Uint8Array): KeyEncryptionKey {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'sluice feedback wrap', 32));
  return { id: createHash('sha256').update(key).digest('hex').slice(0, 16), key };
}
