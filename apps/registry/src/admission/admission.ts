import type { ServingConfig, Signature } from '@sluice/domain/signature';
import type { VersionFile } from '@sluice/domain/version';
import type { GraphInfo } from '../onnx/graph-info.ts';
import type { Manifest } from '../manifest/manifest.ts';

/** One thing that admission looked at. */
export interface AdmissionCheck {
  /** `parse`, `load`, `warm-up`, `latency`, `batch-independence`, `golden:<name>`, … */
  readonly name: string;
  readonly passed: boolean;
  readonly detail: string;
}

/** What is stored and shown of an admission; the same fields as the proto's AdmissionReport. */
export interface AdmissionReport {
  readonly passed: boolean;
  readonly checks: readonly AdmissionCheck[];
  readonly durationMs: number;
  readonly peakRssBytes: number;
  /** Median milliseconds of one row. */
  readonly latencyMs: number;
  /** Median milliseconds of one batch of `batchRows` rows; 0 when rows are not batched. */
  readonly batchLatencyMs: number;
  readonly batchRows: number;
  /** What was derived from the graph and not written in `sluice.yaml`, a line each. */
  readonly derived: readonly string[];
  /** How far the process grew from before the graph was loaded to its peak; absent in reports of before it was measured. */
  readonly modelBytes?: number;
}

/** The files that a version would be made of; their artifacts are in the store. */
export interface Candidate {
  readonly files: readonly VersionFile[];
  /** '' when the caller named none: the only `*.onnx` file at hand is meant. */
  readonly graphPath: string;
}

/** What is known of a candidate before anything of it has run. */
export interface InspectedVersion {
  readonly files: readonly VersionFile[];
  readonly graphPath: string;
  /** The version's digest, as `versionDigest` of libs/domain has it. */
  readonly digest: string;
  readonly graph: GraphInfo;
  readonly manifest: Manifest;
  readonly signature: Signature;
  readonly serving: ServingConfig;
  /** Everything else that `sluice.yaml` said, as canonical JSON (RFC 8785). */
  readonly manifestJson: string;
  readonly derived: readonly string[];
}

/** How an admission ended. A version whose admission did not pass is kept as rejected. */
export interface AdmissionOutcome {
  readonly passed: boolean;
  /** Why it was rejected, one sentence; '' when it passed. */
  readonly rejection: string;
  /** As inspected, but with batching off and its reason where rows are not independent. */
  readonly serving: ServingConfig;
  readonly report: AdmissionReport;
}

export interface AdmitOptions {
  /** Ends the child and rejects with `cancelled`. */
  readonly signal?: AbortSignal;
  /** A line of progress for people. */
  readonly onProgress?: (line: string) => void;
}

/**
 * The registry's door for models. `inspect` reads, `admit` runs; neither touches a tensor in this process.
 * Made by `createAdmission` in `create-admission.ts`.
 */
export interface Admission {
  /**
   * Reads the graph and `sluice.yaml` and derives signature and serving configuration. Throws `invalid-argument` with
   * everything that is wrong (corrupt or truncated ONNX with offset and field, external data outside the files,
   * unsupported datatypes, each mistake in `sluice.yaml` with its line); no version should be made of such files.
   * `failed-precondition` when an artifact is not in the store, `data-loss` when its bytes are not those of its digest:
   * it is then set aside, and an upload stores it again.
   */
  inspect(candidate: Candidate): Promise<InspectedVersion>;
  /**
   * Loads and runs the model in a throw-away process. Resolves with `passed: false` for whatever the model does
   * wrong: it crashes, hangs, eats memory or answers wrongly. Waits while as many run already as may at once.
   */
  admit(version: InspectedVersion, options?: AdmitOptions): Promise<AdmissionOutcome>;
  /** Removes the folders that a registry that was killed left behind: older than any child may live. */
  sweep(): Promise<void>;
  /** Ends the running children, whose admissions reject with `cancelled`; those that wait get `unavailable`. */
  close(): Promise<void>;
}
