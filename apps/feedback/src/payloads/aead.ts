import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
/** Of the layout: one octet of it, the nonce, what is encrypted, the tag. */
const layout = 1;
const nonceBytes = 12;
const tagBytes = 16;
/** What sealing adds. */
export const sealOverhead = 1 + nonceBytes + tagBytes;

/** Encrypts under a key of 32 octets (AES-256-GCM) with a nonce of its own; `associated` is not in it, and is needed to open it. */
export function seal(key: Uint8Array, bytes: Uint8Array, associated: string): Buffer {
  const sealed = Buffer.allocUnsafe(sealOverhead + bytes.length);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce);
  cipher.setAAD(Buffer.from(associated));
  sealed[0] = layout;
  nonce.copy(sealed, 1);
  sealed.set(cipher.update(bytes), 1 + nonceBytes);
  cipher.final();
  cipher.getAuthTag().copy(sealed, sealed.length - tagBytes);
  return sealed;
}

/** What was sealed; undefined when it is anything else, or of another key or place. */
export function open(key: Uint8Array, sealed: Uint8Array, associated: string): Buffer | undefined {
  if (sealed.length < sealOverhead || sealed[0] !== layout) return undefined;
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(1, 1 + nonceBytes));
  decipher.setAAD(Buffer.from(associated));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const bytes = decipher.update(sealed.subarray(1 + nonceBytes, sealed.length - tagBytes));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return bytes;
}

/** Says whether bytes are the same as others under the same key, and nothing without it. */
export function markOf(key: Uint8Array, bytes: Uint8Array): Buffer {
  const own = Buffer.from(hkdfSync('sha256', key, '', 'sluice mark', 32));
  return createHmac('sha256', own).update(bytes).digest();
}
