import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { SluiceError } from '@sluice/domain/errors';
import { open, seal } from './aead.ts';
import type { KeyEncryptionKey, KeyEncryptionKeys } from './key-encryption-key.ts';

/** A key as the database has it. */
export interface WrappedKey {
  readonly kekId: string;
  readonly wrapped: Uint8Array;
}

const keyBytes = 32;
const rootName = 'root';

/**
 * Wraps and unwraps the keys of subjects, and has what is made of the root key: one secret for each database, wrapped as the others
 * are, so that another key-encryption key changes no hash.
 */
export class KeyRing {
  /** Encrypts blocks that nobody can read, which may hold payloads of anybody. */
  readonly blockKey: Uint8Array;
  readonly #keks: ReadonlyMap<string, KeyEncryptionKey>;
  readonly #current: KeyEncryptionKey;
  readonly #hashKey: Uint8Array;
  readonly #digestKey: Uint8Array;
  readonly #textKey: Uint8Array;

  /** @throws SluiceError failed-precondition when none of the keys unwraps the root key */
  constructor(keys: KeyEncryptionKeys, root: WrappedKey) {
    this.#current = keys.current;
    this.#keks = keksOf(keys);
    const secret = this.unwrap(root, rootName);
    const derive = (purpose: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `sluice ${purpose}`, 32));
    this.#hashKey = derive('subject');
    this.#digestKey = derive('dead letter');
    this.#textKey = derive('text');
    this.blockKey = derive('unreadable block');
  }

  /** A root key for a database that has none. */
  static makeRoot({ current }: KeyEncryptionKeys): WrappedKey {
    return wrapUnder(current, randomBytes(keyBytes), rootName);
  }

  /** The root key under the current key-encryption key. */
  static rewrapRoot(keys: KeyEncryptionKeys, root: WrappedKey): WrappedKey {
    return wrapUnder(keys.current, unwrapWith(keksOf(keys), root, rootName), rootName);
  }

  /** Id of the key that wraps. */
  get currentId(): string {
    return this.#current.id;
  }

  /** Ids of all keys that unwrap. */
  get ids(): readonly string[] {
    return [...this.#keks.keys()];
  }

  /** Keyed hash of a subject, 32 octets: the only form in which keys and orders know it. */
  hashSubject(subject: string): Buffer {
    return createHmac('sha256', this.#hashKey).update(subject).digest();
  }

  /** Keyed digest of a dead letter: a plain one would let people test guesses at what is encrypted. */
  digest(bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.#digestKey).update(bytes).digest();
  }

  /** The same of a text whose subject is not known. */
  digestText(bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.#textKey).update(bytes).digest();
  }

  /** A new key, and how it is to be stored. */
  make(keyId: string): WrappedKey & { readonly key: Uint8Array } {
    const key = randomBytes(keyBytes);
    return { key, ...this.wrap(key, keyId) };
  }

  wrap(key: Uint8Array, keyId: string): WrappedKey {
    return wrapUnder(this.#current, key, keyId);
  }

  /** @throws SluiceError failed-precondition when the key that wrapped it was not given; data-loss when it is not what was wrapped */
  unwrap(wrapped: WrappedKey, keyId: string): Uint8Array {
    return unwrapWith(this.#keks, wrapped, keyId);
  }
}

const keksOf = ({ current, former }: KeyEncryptionKeys): Map<string, KeyEncryptionKey> =>
  new Map([current, ...former].map((each) => [each.id, each]));

const associated = (keyId: string): string => `sluice key ${keyId}`;

function wrapUnder({ id, key: kek }: KeyEncryptionKey, key: Uint8Array, keyId: string): WrappedKey {
  return { kekId: id, wrapped: seal(kek, key, associated(keyId)) };
}

function unwrapWith(keks: ReadonlyMap<string, KeyEncryptionKey>, { kekId, wrapped }: WrappedKey, keyId: string) {
  const kek = keks.get(kekId);
  if (kek === undefined)
    throw new SluiceError(
      'failed-precondition',
      `keys in this database are wrapped by feedback key ${kekId}, and only ${[...keks.keys()].join(', ')} was given: give its file in SLUICE_FEEDBACK_KEY_FILE, or in SLUICE_FEEDBACK_FORMER_KEY_FILES if it was replaced. Nothing is lost as long as that file is there`,
    );
  const key = open(kek.key, wrapped, associated(keyId));
  if (key === undefined)
    throw new SluiceError('data-loss', `key ${keyId} in the database is not what feedback key ${kekId} wrapped`);
  return key;
}
