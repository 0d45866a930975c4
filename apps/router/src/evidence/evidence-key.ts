import { createHash, hash, hkdfSync } from 'node:crypto';
import { failedPrecondition } from '@sluice/domain/errors';
import { readPrivateFile } from '@sluice/service-kit/private-file';
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
  const text = await readPrivateFile(file, 'evidence key', howToMake);
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
