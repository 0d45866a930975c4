/**
 * How records lie in a block. A block is `magic`, then frames: kind (one byte), length of the rest (four bytes), rest. Numbers are
 * little-endian. A block stands for itself: the context of each of its records is a frame before it.
 */

/** First octets of a block: `SEV`, and the version of the layout. */
export const magic = Buffer.from([0x53, 0x45, 0x56, 1]);

export const frameHeader = 5;
export const contextFrame = 1;
export const recordFrame = 2;

/** Longest text of a record or context, in bytes of UTF-8; longer ones are cut. */
export const maxTextBytes = 1024;

/** Offsets in a record's frame; behind `fixed` its texts and payloads, in the order of their lengths. */
export const at = {
  predictionId: 0,
  /** Which context of the block, by order of appearance. */
  context: 16,
  attempt: 18,
  flags: 19,
  status: 20,
  fallbackStatus: 21,
  reason: 22,
  /** The request's in the low four bits, the response's in the high ones. */
  payloadStates: 23,
  receivedMs: 24,
  keepProbability: 32,
  sentMicros: 40,
  endedMicros: 44,
  queueMicros: 48,
  runMicros: 52,
  totalMicros: 56,
  batchRows: 60,
  costMicros: 64,
  rows: 68,
  unitHash: 72,
  inputHash: 88,
  requestIdLength: 120,
  subjectLength: 122,
  callerLength: 124,
  traceIdLength: 126,
  ruleLength: 128,
  runtimeLength: 130,
  requestLength: 132,
  responseLength: 136,
  fixed: 140,
} as const;

export const flag = { answered: 1, timings: 2, unitHash: 4, inputHash: 8 } as const;

export const unitHashBytes = 16;
export const inputHashBytes = 32;
