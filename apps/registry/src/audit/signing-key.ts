import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { failedPrecondition, SluiceError } from '@sluice/domain/errors';
import { readPrivateFile } from '@sluice/service-kit/private-file';
import { utf8 } from './canonical-json.ts';
import { checkpointBody, type CheckpointContent, type SignedCheckpoint } from './checkpoint.ts';

/** The private key that this registry signs checkpoints with. */
export interface SigningKey {
  readonly keyId: string;
  /** SPKI, PEM. */
  readonly publicKeyPem: string;
  sign(content: Omit<CheckpointContent, 'keyId'>): SignedCheckpoint;
}

const howToMake =
  'make one with `openssl genpkey -algorithm ed25519 -out FILE` under umask 077 and point SLUICE_AUDIT_KEY_FILE at it';

/**
 * Reads an Ed25519 key in PKCS #8 PEM. Errors: `failed-precondition` when the file is missing, holds another kind of
 * key, or may be read by other users.
 */
export async function readSigningKey(file: string): Promise<SigningKey> {
  const pem = await readPrivateFile(file, 'audit key', howToMake);
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new SluiceError('failed-precondition', `audit key file ${file} holds no private key in PEM: ${howToMake}`, {
      cause,
    });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw failedPrecondition(
      `audit key file ${file} holds a key of type ${key.asymmetricKeyType ?? 'unknown'}, expected ed25519: ${howToMake}`,
    );
  return signingKey(key);
}

/** A signing key on a private key that is at hand. */
export function signingKey(key: KeyObject): SigningKey {
  const publicKeyPem = createPublicKey(key).export({ type: 'spki', format: 'pem' });
  const keyId = keyIdOf(publicKeyPem);
  return {
    keyId,
    publicKeyPem,
    sign(content) {
      const whole = { ...content, keyId };
      const body = checkpointBody(whole);
      return { ...whole, body, signature: new Uint8Array(sign(null, utf8(body), key)) };
    },
  };
}

/** The first 16 hex digits of SHA-256 over the public key in DER (SPKI). Throws when the PEM holds no key. */
export function keyIdOf(publicKeyPem: string): string {
  const der = createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}
