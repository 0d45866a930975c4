import type { ArmRole } from '@sluice/domain/release';

/** What the records of one arm have in common; written once in each block. */
export interface EvidenceContext {
  readonly model: string;
  /** Number of the version that served. */
  readonly version: number;
  readonly versionDigest: string;
  /** Empty where the request named its version, which bypasses the release. */
  readonly releaseId: string;
  /** Names the hash seed by which units are assigned to arms. */
  readonly seedId: string;
  /** Number of the policy that set the propensities; 0 for fixed ones. */
  readonly policyVersion: number;
  /** The arm that was assigned; empty as `releaseId`. */
  readonly arm: string;
  /** The arm that served: another one after a fallback. */
  readonly servedArm: string;
  /** Of the assigned arm; undefined where there is none. */
  readonly role: ArmRole | undefined;
  /** Probability with which the arm was assigned, 0 to 1. */
  readonly propensity: number;
  /** `short`, `standard` or `long`: decided when the record is made, so that it lands in the same place whenever it comes. */
  readonly retentionClass: string;
}

/** Why a request went where it did. */
export const routeReasons = [
  /** The release has one arm. */
  'only-arm',
  /** By weight, from the hash of its unit key. */
  'unit',
  /** By weight, at random: it has no unit key. */
  'weight',
  /** A rule of the release. */
  'rule',
  /** Metadata `sluice-arm`. */
  'forced',
  /** The request named its version. */
  'named',
  /** Its sequence had begun there. */
  'sequence',
  /** A copy for a shadow arm. */
  'shadow',
] as const;
export type RouteReason = (typeof routeReasons)[number];

/** What became of a payload, and why there is none. */
export const payloadStates = [
  /** The capture policy says so. */
  'off',
  'captured',
  /** Larger than the policy's bound. */
  'too-large',
  /** Has a column to redact where it cannot be found: in typed contents, or in BYTES. */
  'not-redactable',
  /** There was none: the attempt failed. */
  'none',
  /** Its subject is erased, or could not be read. */
  'erased',
] as const;
export type PayloadState = (typeof payloadStates)[number];

/** Where the time of an attempt went in its runtime; whole microseconds. */
export interface RuntimeTimings {
  /** From its arrival until its batch began. */
  readonly queueMicros: number;
  /** Of its batch in ONNX Runtime. */
  readonly runMicros: number;
  /** From its arrival until its answer left. */
  readonly totalMicros: number;
  /** Rows of its batch, padding included. */
  readonly batchRows: number;
  /** Its share of the batch: run time x intra-op threads x own rows / rows of the batch without padding, in core-microseconds. */
  readonly costMicros: number;
}

/** One attempt of one arm at one prediction. */
export interface EvidenceRecord {
  readonly context: EvidenceContext;
  /** A UUID of version 7. */
  readonly predictionId: string;
  /** 1 for the first attempt of the arm. */
  readonly attempt: number;
  /**
   * This attempt is what its caller was answered with, an answer or a failure: it was handed to the caller's connection, or, of an
   * answer that waits for this very record, was about to be, and the caller still waited. So it does not say that the answer
   * arrived; and of a record that an answer waited for it does not say either that the caller still waited when it was synced,
   * that the sync succeeded (else the caller was refused), or that the router outlived it. False: another attempt answered, nobody
   * waited any more, or it is a shadow's.
   */
  readonly answered: boolean;
  readonly reason: RouteReason;
  /** gRPC status of the attempt; 0 is OK. */
  readonly status: number;
  /** gRPC status of the assigned arm for which another one served; 0 where there was no fallback. */
  readonly fallbackStatus: number;
  /** Milliseconds since the epoch, with fractions: when the request was there whole. */
  readonly receivedMs: number;
  /** Microseconds from `receivedMs` until the attempt was sent. */
  readonly sentMicros: number;
  /** Microseconds from `receivedMs` until it ended. */
  readonly endedMicros: number;
  /** Undefined where the runtime did not say. */
  readonly timings: RuntimeTimings | undefined;
  /** Rows of the request; 0 where nobody counted them. */
  readonly rows: number;
  /** Probability with which the record was kept, 0 to 1 without 0: the weight of the record in statistics is one over it. */
  readonly keepProbability: number;
  /** Keyed hash of the unit key, 16 octets; undefined without one. */
  readonly unitHash: Uint8Array | undefined;
  /** SHA-256 of the fields `inputs` and `raw_input_contents` as they came; undefined where it was not taken. */
  readonly inputHash: Uint8Array | undefined;
  /** The caller's own id; empty without one. So with the texts below. */
  readonly requestId: string;
  readonly subject: string;
  readonly caller: string;
  /** 32 hex digits. */
  readonly traceId: string;
  /** Id of the rule that chose the arm. */
  readonly rule: string;
  /** The runtime that the attempt went to; empty where that was nowhere. */
  readonly runtime: string;
  readonly requestState: PayloadState;
  /** The ModelInferRequest as it came, redacted. Undefined unless captured. */
  readonly request: Uint8Array | undefined;
  readonly responseState: PayloadState;
  /** The ModelInferResponse as the runtime gave it. Undefined unless captured. */
  readonly response: Uint8Array | undefined;
}
