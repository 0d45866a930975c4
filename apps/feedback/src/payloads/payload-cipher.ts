export interface PayloadCipher {
  /** Opens payloads of rows, by key id: undefined for one whose key is destroyed. `payload_key_id` null means that the bytes are plain. */
  openAll(payloads: readonly SealedPayload[]): Promise<(Uint8Array | undefined)[]>;
  /** Seals bytes for a subject; undefined when the subject is erased. A subject of '' has no key: the bytes come back as they are, with keyId undefined. */
  sealFor(items: readonly ToSeal[]): Promise<(Sealed | undefined)[]>;
}
export interface ToSeal {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly context: string;
  /** When the bytes came, in milliseconds since the epoch: an order to erase that is later holds for them. Undefined: now. */
  readonly cameMs?: number | undefined;
}
/** `context` binds the bytes to their place (additional authenticated data), such as `evidence/<prediction_id>/<arm>/<attempt>/response`. */
export interface SealedPayload {
  readonly keyId: string | undefined;
  readonly bytes: Uint8Array;
  readonly context: string;
}
export interface Sealed {
  readonly keyId: string | undefined;
  readonly bytes: Uint8Array;
}
/** Payloads that nobody encrypts. */
export const plainPayloads: PayloadCipher = {
  openAll: async (payloads) => payloads.map(({ bytes }) => bytes),
  sealFor: async (items) => items.map(({ bytes }) => ({ keyId: undefined, bytes })),
};
