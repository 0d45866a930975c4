/** Bounds on what callers send; docs and protos/sluice/feedback/v1/labels.proto say the same. */
export const limits = {
  /** Items of one batch, and values of all its labels. */
  items: 1_000,
  values: 10_000,
  /** Bytes of a source's name, of a class, of a request id and of one text or JSON. */
  sourceBytes: 200,
  nameBytes: 1_024,
  requestIdBytes: 65_536,
  payloadBytes: 16_384,
  /** Bytes of all texts and JSON of a batch. */
  batchPayloadBytes: 1_048_576,
  /** A rating is within plus and minus this. */
  rating: 100,
  /** How far ahead a caller's clock may be. */
  skewMs: 300_000,
  /** Prediction ids that an answer lists. */
  listedIds: 10,
} as const;
