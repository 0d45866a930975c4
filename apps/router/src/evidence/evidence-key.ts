import { createHash, hash, hkdfSync } from 'node:crypto';
import { open } from 'node:fs/promises';
import { failedPrecondition, SluiceError } from '@sluice/domain/errors';
import type { KeyEncryptionKey } from '@sluice/evidence/spool/segment-key';

/** What a router's evidence key is used for: two keys that are made of it. */
export interface EvidenceKey {
  /** Wraps the keys of the spool's segments. */
  readonly spool: KeyEncryptionKey;
  /** Hashes a unit key: 16 characters, an octet each (latin1). The same on all routers that have the same evidence key. */
  readonly hashUnit: (unit: string) => string;
}

const howToMake = 'make one with `openssl rand -hex 32` under umask 077 and point SLUICE_EVIDENCE_KEY_FILE at it';
const hex = /^[0-9a-f]{64}\s*$/i;

/**
 * Reads an evidence key: a file of 64 hex digits, readable by its owner only.
 *
 * @throws SluiceError failed-precondition when the file is missing, may be read by others, or holds anything else
 */
export async function readEvidenceKey(file: string): Promise<EvidenceKey> {
  const text = await readPrivately(file);
  if (!hex.test(text)) throw failedPrecondition(`evidence key file ${file} does not hold 64 hex digits: ${howToMake}`);
  return evidenceKey(Buffer.from(text.trim(), 'hex'));
}

/** The keys that are made of 32 octets (HKDF with SHA-256, RFC 5869). */
export function evidenceKey(secret: Uint8Array): EvidenceKey {
  const derive = (purpose: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `sluice ${purpose}`, 32));
  const key = derive('spool');
  const unitKey = derive('unit').toString('hex');
  return {
    // Tells a key that was replaced from a wrong one, and says nothing of the key.
    spool: { id: createHash('sha256').update(key).digest('hex').slice(0, 16), key },
    // A key of one length before the text, and half of the hash given away: nothing can be appended to it. HMAC takes four times as long.
    hashUnit: (unit) => hash('sha256', unitKey + unit, 'latin1').slice(0, 16),
  };
}

async function readPrivately(file: string): Promise<string> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read';
    throw new SluiceError('failed-precondition', `evidence key file ${file} ${why}: ${howToMake}`, { cause });
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > 1024)
      throw failedPrecondition(`evidence key file ${file} is not a file of 64 hex digits: ${howToMake}`);
    if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0)
      throw failedPrecondition(
        `evidence key file ${file} has mode ${(stats.mode & 0o777).toString(8)}, so other users may read it: run chmod 600 on it`,
      );
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
