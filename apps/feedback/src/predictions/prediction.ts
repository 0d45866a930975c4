import type { ArmRole, RetentionClass } from '@sluice/domain/release';
import type { PayloadState, RouteReason, RuntimeTimings } from '@sluice/evidence/record';

/** Where a record lies: its key. */
export interface AttemptKey {
  readonly retentionClass: RetentionClass;
  readonly predictionId: string;
  readonly arm: string;
  readonly attempt: number;
}

/** A payload that is not looked at: what became of it, and its size as it is stored; 0 where nothing is. */
export interface PayloadHead {
  readonly state: PayloadState;
  readonly sizeBytes: number;
}

/** What every list of records shows of one. */
export interface AttemptSummary extends AttemptKey {
  readonly receivedMs: number;
  readonly model: string;
  readonly version: number;
  readonly releaseId: string;
  readonly servedArm: string;
  readonly role: ArmRole | undefined;
  readonly answered: boolean;
  readonly reason: RouteReason;
  readonly status: number;
  readonly endedMicros: number;
  readonly rows: number;
  readonly keepProbability: number;
  readonly requestId: string;
  readonly subject: string;
  readonly caller: string;
  readonly requestState: PayloadState;
  readonly responseState: PayloadState;
  /** It is in the table of records out of time. */
  readonly skewed: boolean;
}

/** One attempt of one arm, without its payloads. */
export interface StoredAttempt extends AttemptSummary {
  readonly versionDigest: string;
  /** Undefined while the registry could not be asked. */
  readonly versionKnown: boolean | undefined;
  readonly seedId: string;
  readonly policyVersion: number;
  readonly propensity: number;
  readonly rule: string;
  readonly fallbackStatus: number;
  readonly ingestedMs: number;
  readonly sentMicros: number;
  /** Undefined where the runtime did not say. */
  readonly timings: RuntimeTimings | undefined;
  readonly traceId: string;
  readonly runtime: string;
  readonly unitHash: Uint8Array | undefined;
  readonly inputHash: Uint8Array | undefined;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** The key that its payloads are sealed with; undefined where they are plain. */
  readonly payloadKeyId: string | undefined;
}

/** What is stored of the payloads of an attempt. */
export interface StoredPayloads extends AttemptKey {
  readonly request: Uint8Array | undefined;
  readonly response: Uint8Array | undefined;
}

/** A class, or a number. */
export interface LabelValue {
  readonly name: string | undefined;
  readonly number: number | undefined;
}

export interface StoredLabel extends LabelValue {
  readonly labelId: string;
  readonly row: number;
  readonly source: string;
  readonly actor: string;
  /** Milliseconds since the epoch, with fractions, as `recordedMs`. */
  readonly labelledMs: number | undefined;
  readonly recordedMs: number;
}

export type OutcomeState = 'scored' | 'not-captured' | 'erased' | 'not-decodable';

/** One label against one row of one answer. */
export interface StoredOutcome {
  readonly labelId: string;
  readonly arm: string;
  readonly attempt: number;
  readonly row: number;
  readonly version: number;
  readonly state: OutcomeState;
  readonly truth: LabelValue;
  readonly predicted: LabelValue;
  readonly truthProbability: number | undefined;
  readonly source: string;
}

/** What somebody said of a prediction, without its text. */
export interface StoredFeedback extends LabelValue {
  readonly feedbackId: string;
  /** Undefined: the prediction as a whole. */
  readonly row: number | undefined;
  readonly kind: 'rating' | 'correction' | 'reward' | 'text' | 'json';
  readonly source: string;
  readonly actor: string;
  readonly givenMs: number | undefined;
  readonly recordedMs: number;
  readonly textState: 'none' | 'kept' | 'erased';
  readonly payloadKeyId: string | undefined;
}

/** All that is kept of a prediction, without payloads. */
export interface StoredPrediction {
  readonly attempts: readonly StoredAttempt[];
  readonly labels: readonly StoredLabel[];
  readonly outcomes: readonly StoredOutcome[];
  readonly feedback: readonly StoredFeedback[];
  /** There is more than a prediction can reasonably have, and it is not here. */
  readonly cut: boolean;
}

/** The tables, as a look-up by id sees them. */
export interface PredictionReader {
  find(predictionId: string): Promise<StoredPrediction>;
  payloads(keys: readonly AttemptKey[]): Promise<StoredPayloads[]>;
  /** Texts of its feedback as they are stored, by the id of the item. */
  texts(predictionId: string): Promise<ReadonlyMap<string, Uint8Array>>;
}
