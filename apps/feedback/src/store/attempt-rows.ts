import type { ArmRole, RetentionClass } from '@sluice/domain/release';
import type { PayloadState, RouteReason } from '@sluice/evidence/record';
import type { AttemptSummary, StoredAttempt } from '../predictions/prediction.ts';

/** Columns that every list of records shows. */
export const summaryColumns = `class, prediction_id, arm, attempt, received_at, model, version, release_id, served_arm, role,
  answered, reason, status, ended_micros, rows, keep_probability, request_id, subject, caller, request_state, response_state`;

/** All columns but payloads, of which the sizes are read: they do not have to be fetched for that. */
export const attemptColumns = `${summaryColumns}, version_digest, version_known, seed_id, policy_version, propensity, rule,
  fallback_status, ingested_at, sent_micros, queue_micros, run_micros, total_micros, batch_rows, cost_micros, trace_id, runtime,
  unit_hash, input_hash, coalesce(octet_length(request), 0) AS request_bytes, coalesce(octet_length(response), 0) AS response_bytes,
  payload_key_id`;

export interface SummaryRow {
  readonly class: RetentionClass;
  readonly prediction_id: string;
  readonly arm: string;
  readonly attempt: number;
  readonly received_at: Date;
  readonly model: string;
  readonly version: number;
  readonly release_id: string;
  readonly served_arm: string;
  readonly role: ArmRole | null;
  readonly answered: boolean;
  readonly reason: RouteReason;
  readonly status: number;
  readonly ended_micros: number;
  readonly rows: number;
  readonly keep_probability: number;
  readonly request_id: string;
  readonly subject: string;
  readonly caller: string;
  readonly request_state: PayloadState;
  readonly response_state: PayloadState;
  readonly skewed: boolean;
}

export interface AttemptRow extends SummaryRow {
  readonly version_digest: string;
  readonly version_known: boolean | null;
  readonly seed_id: string;
  readonly policy_version: number;
  readonly propensity: number;
  readonly rule: string;
  readonly fallback_status: number;
  readonly ingested_at: Date;
  readonly sent_micros: number;
  readonly queue_micros: number | null;
  readonly run_micros: number | null;
  readonly total_micros: number | null;
  readonly batch_rows: number | null;
  readonly cost_micros: number | null;
  readonly trace_id: string;
  readonly runtime: string;
  readonly unit_hash: Buffer | null;
  readonly input_hash: Buffer | null;
  readonly request_bytes: number;
  readonly response_bytes: number;
  readonly payload_key_id: string | null;
}

export const toSummary = (row: SummaryRow): AttemptSummary => ({
  ...{ retentionClass: row.class, predictionId: row.prediction_id, arm: row.arm, attempt: row.attempt },
  ...{ receivedMs: row.received_at.getTime(), model: row.model, version: row.version, releaseId: row.release_id },
  ...{ servedArm: row.served_arm, role: row.role ?? undefined, answered: row.answered, reason: row.reason },
  ...{ status: row.status, endedMicros: row.ended_micros, rows: row.rows, keepProbability: row.keep_probability },
  ...{ requestId: row.request_id, subject: row.subject, caller: row.caller, skewed: row.skewed },
  ...{ requestState: row.request_state, responseState: row.response_state },
});

export const toAttempt = (row: AttemptRow): StoredAttempt => ({
  ...toSummary(row),
  ...{ versionDigest: row.version_digest, versionKnown: row.version_known ?? undefined, seedId: row.seed_id },
  ...{ policyVersion: row.policy_version, propensity: row.propensity, rule: row.rule },
  ...{ fallbackStatus: row.fallback_status, ingestedMs: row.ingested_at.getTime(), sentMicros: row.sent_micros },
  timings: timingsOf(row),
  ...{ traceId: row.trace_id, runtime: row.runtime },
  ...{ unitHash: row.unit_hash ?? undefined, inputHash: row.input_hash ?? undefined },
  ...{ requestBytes: row.request_bytes, responseBytes: row.response_bytes },
  payloadKeyId: row.payload_key_id ?? undefined,
});

/** They are written together or not at all. */
function timingsOf(row: AttemptRow): StoredAttempt['timings'] {
  const { queue_micros: queueMicros, run_micros: runMicros, total_micros: totalMicros } = row;
  const { batch_rows: batchRows, cost_micros: costMicros } = row;
  if (queueMicros === null || runMicros === null || totalMicros === null) return undefined;
  return { queueMicros, runMicros, totalMicros, batchRows: batchRows ?? 0, costMicros: costMicros ?? 0 };
}
