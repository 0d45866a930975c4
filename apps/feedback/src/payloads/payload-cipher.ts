import { createHash } from 'node:crypto';

export interface PayloadCipher {
  /** Opens payloads of rows, by key id: undefined for one whose key is destroyed. `payload_key_id` null means that the bytes are plain. */
  openAll(payloads: readonly SealedPayload[]): Promise<(Uint8Array | undefined)[]>;
  /**
   * Seals bytes for a subject; undefined when the subject is erased, or was after they were made. A subject of '' has no key: the bytes come
   * back as they are, with keyId undefined.
   */
  sealFor(items: readonly ToSeal[]): Promise<(Sealed | undefined)[]>;
  /** Tells bytes apart whose subject is not known. Nobody who has it can test what they were without the key of this service. */
  digest(bytes: Uint8Array): Uint8Array;
}
/** `context` binds the bytes to their place (additional authenticated data), such as `evidence/<prediction_id>/<arm>/<attempt>/response`. */
export interface SealedPayload {
  readonly keyId: string | undefined;
  readonly bytes: Uint8Array;
  readonly context: string;
}
export interface ToSeal {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly context: string;
  /** When they were made, milliseconds since the epoch: an order to erase is about what was made before it. */
  readonly madeMs: number;
}
export interface Sealed {
  readonly keyId: string | undefined;
  readonly bytes: Uint8Array;
  /** Tells bytes of one subject apart. It is made with the subject's key: when that is destroyed nobody can test what they were. */
  readonly mark: Uint8Array;
}
const plainDigest = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
/** Payloads that nobody encrypts. */
export const plainPayloads: PayloadCipher = {
  openAll: async (payloads) => payloads.map(({ bytes }) => bytes),
  sealFor: async (items) => items.map(({ bytes }) => ({ keyId: undefined, bytes, mark: plainDigest(bytes) })),
  digest: plainDigest,
};
