import type { DataSource } from 'typeorm';
import { SluiceError } from '@sluice/domain/errors';
import { fromDatabase } from '@sluice/persistence/sqlstate';
import { markOf, open, seal } from '../payloads/aead.ts';
import type { KeyRing } from '../payloads/key-ring.ts';
import type { PayloadCipher, Sealed, SealedPayload, ToSeal } from '../payloads/payload-cipher.ts';
import { isReadableSubject } from '../payloads/subject.ts';
import { onConnection, statement } from './connection.ts';
import type { KeyDemand, SubjectKey } from './subject-keys.ts';
import { isErased, takeKeys } from './subject-keys.ts';

/** Keys that one statement asks for. */
const keysAtOnce = 10_000;

/**
 * Payloads under the keys of their subjects. No key is kept from one call to the next: each asks the database, so that what was
 * erased cannot be read by any replica from the commit on.
 */
export class PayloadStore implements PayloadCipher {
  readonly #dataSource: DataSource;
  readonly #ring: KeyRing;

  constructor(dataSource: DataSource, ring: KeyRing) {
    this.#dataSource = dataSource;
    this.#ring = ring;
  }

  /** @throws SluiceError data-loss for bytes that are not what was sealed there */
  async openAll(payloads: readonly SealedPayload[]): Promise<(Uint8Array | undefined)[]> {
    const keys = await this.#keys(new Set(payloads.flatMap(({ keyId }) => keyId ?? [])));
    return payloads.map((payload) => {
      if (payload.keyId === undefined) return payload.bytes;
      const key = keys.get(payload.keyId);
      return key && opened(key, payload);
    });
  }

  /**
   * What comes back is of the subject as of now: one that was erased has no payloads until a prediction that was made after the order
   * has given it another key, and from then on none that were made before.
   */
  async sealFor(items: readonly ToSeal[]): Promise<(Sealed | undefined)[]> {
    const demands = new Map<string, KeyDemand>();
    for (const { subject } of items) {
      if (subject === '' || demands.has(subject) || !isReadableSubject(subject)) continue;
      const hash = this.#ring.hashSubject(subject);
      demands.set(subject, { hash, latestMs: -Infinity, lastDay: '' });
    }
    const keys = await this.#take(demands);
    return items.map(({ subject, bytes, context, madeMs }) => {
      if (subject === '') return { keyId: undefined, bytes, mark: this.digest(bytes) };
      const { key, erased } = keys.get(subject) ?? { key: undefined, erased: undefined };
      if (key === undefined || isErased(erased, madeMs)) return undefined;
      return { keyId: key.keyId, bytes: seal(key.key, bytes, context), mark: markOf(key.key, bytes) };
    });
  }

  digest(bytes: Uint8Array): Uint8Array {
    return this.#ring.digestText(bytes);
  }

  async #take(demands: ReadonlyMap<string, KeyDemand>): Promise<ReadonlyMap<string, SubjectKey>> {
    if (demands.size === 0) return new Map();
    try {
      const taken = await onConnection(this.#dataSource, (client) =>
        takeKeys(client, this.#ring, [...demands.values()]),
      );
      return new Map([...demands.keys()].map((subject, index) => [subject, taken[index]!]));
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  async #keys(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, Uint8Array>> {
    const keys = new Map<string, Uint8Array>();
    const all = [...ids];
    for (let from = 0; from < all.length; from += keysAtOnce) {
      const rows = await statement<{ key_id: string; kek_id: string; wrapped: Buffer }>(
        this.#dataSource,
        'SELECT key_id, kek_id, wrapped FROM feedback.subject_key WHERE key_id = ANY ($1::uuid[]) AND wrapped IS NOT NULL',
        [all.slice(from, from + keysAtOnce)],
      );
      for (const { key_id, kek_id: kekId, wrapped } of rows)
        keys.set(key_id, this.#ring.unwrap({ kekId, wrapped }, key_id));
    }
    return keys;
  }
}

function opened(key: Uint8Array, { bytes, context, keyId }: SealedPayload): Uint8Array {
  const found = open(key, bytes, context);
  if (found) return found;
  throw new SluiceError('data-loss', `a payload is not what was stored as ${context} under key ${keyId}`);
}
