/** Kinds of rows, as subscribers choose them. */
export const followedKinds = ['evidence', 'label', 'outcome'] as const;
export type FollowedKind = (typeof followedKinds)[number];

/** Of all rows. Times are microseconds since the epoch. */
interface OfPrediction {
  readonly predictionId: string;
  readonly retentionClass: string;
  readonly model: string;
}

/** One attempt of one arm, without payloads and subject; what is missing is not known. */
export interface FollowedEvidence extends OfPrediction {
  readonly kind: 'evidence';
  readonly arm: string;
  readonly attempt: number;
  readonly skewed: boolean;
  readonly receivedMicros: number;
  readonly ingestedMicros: number;
  readonly version: number;
  readonly versionDigest: string;
  readonly versionKnown?: boolean;
  readonly releaseId: string;
  readonly seedId: string;
  readonly policyVersion: number;
  readonly servedArm: string;
  readonly role: string;
  readonly propensity: number;
  readonly keepProbability: number;
  readonly reason: string;
  readonly answered: boolean;
  readonly status: number;
  readonly fallbackStatus: number;
  readonly sentMicros: number;
  readonly endedMicros: number;
  readonly queueMicros?: number;
  readonly runMicros?: number;
  readonly totalMicros?: number;
  readonly batchRows?: number;
  readonly costMicros?: number;
  readonly rows: number;
  readonly requestId: string;
  readonly caller: string;
  readonly traceId: string;
  readonly rule: string;
  readonly runtime: string;
  readonly unitHash?: Uint8Array;
  readonly inputHash?: Uint8Array;
  readonly requestState: string;
  readonly responseState: string;
}

/** A label that is joined: `name` or `number`. */
export interface FollowedLabel extends OfPrediction {
  readonly kind: 'label';
  readonly labelId: string;
  readonly row: number;
  readonly name?: string;
  readonly number?: number;
  readonly source: string;
  readonly actor: string;
  readonly requestId: string;
  readonly labelledMicros?: number;
  readonly recordedMicros: number;
}

/** One label against one row of one answer. */
export interface FollowedOutcome extends OfPrediction {
  readonly kind: 'outcome';
  readonly labelId: string;
  readonly arm: string;
  readonly attempt: number;
  readonly row: number;
  readonly version: number;
  readonly releaseId: string;
  readonly role: string;
  readonly source: string;
  readonly state: string;
  readonly keepProbability: number;
  readonly receivedMicros: number;
  readonly labelledMicros?: number;
  readonly labelRecordedMicros: number;
  readonly truthName?: string;
  readonly predictedName?: string;
  readonly truthNumber?: number;
  readonly predictedNumber?: number;
  readonly truthProbability?: number;
}

export type FollowedRow = FollowedEvidence | FollowedLabel | FollowedOutcome;
