// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { AttemptTimings as _sluice_feedback_v1_AttemptTimings, AttemptTimings__Output as _sluice_feedback_v1_AttemptTimings__Output } from '../../../sluice/feedback/v1/AttemptTimings.ts';
import type { PredictionPayload as _sluice_feedback_v1_PredictionPayload, PredictionPayload__Output as _sluice_feedback_v1_PredictionPayload__Output } from '../../../sluice/feedback/v1/PredictionPayload.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * One attempt of one arm.
 */
export interface PredictionAttempt {
  'model'?: (string);
  'version'?: (number | string | Long);
  'versionDigest'?: (string);
  /**
   * Not set while the registry could not be asked.
   */
  'versionKnown'?: (boolean);
  /**
   * Empty where the request named its version.
   */
  'releaseId'?: (string);
  'seedId'?: (string);
  'policyVersion'?: (number | string | Long);
  /**
   * The arm that was assigned, and the one that served: another one after a fallback.
   */
  'arm'?: (string);
  'servedArm'?: (string);
  /**
   * `primary`, `candidate` or `shadow`; empty where there is none.
   */
  'role'?: (string);
  'propensity'?: (number | string);
  'attempt'?: (number);
  /**
   * The caller got this answer.
   */
  'answered'?: (boolean);
  /**
   * `only-arm`, `unit`, `weight`, `rule`, `forced`, `named`, `sequence` or `shadow`.
   */
  'reason'?: (string);
  /**
   * Why it went there, in a sentence.
   */
  'reasonText'?: (string);
  'rule'?: (string);
  /**
   * gRPC status; 0 is OK.
   */
  'status'?: (number);
  'statusName'?: (string);
  /**
   * Status of the assigned arm for which another one served; 0 where there was no fallback.
   */
  'fallbackStatus'?: (number);
  'receivedAt'?: (_google_protobuf_Timestamp | null);
  'ingestedAt'?: (_google_protobuf_Timestamp | null);
  'timings'?: (_sluice_feedback_v1_AttemptTimings | null);
  /**
   * Its share of the batch in core-microseconds; not set where the runtime did not say.
   */
  'costMicros'?: (number | string);
  'rows'?: (number | string | Long);
  'keepProbability'?: (number | string);
  'requestId'?: (string);
  'subject'?: (string);
  'caller'?: (string);
  'traceId'?: (string);
  'runtime'?: (string);
  'unitHash'?: (Buffer | Uint8Array | string);
  'inputHash'?: (Buffer | Uint8Array | string);
  'retentionClass'?: (string);
  /**
   * Its id is of no day that was kept when it came.
   */
  'skewed'?: (boolean);
  'request'?: (_sluice_feedback_v1_PredictionPayload | null);
  'response'?: (_sluice_feedback_v1_PredictionPayload | null);
  '_versionKnown'?: "versionKnown";
  '_costMicros'?: "costMicros";
}

/**
 * One attempt of one arm.
 */
export interface PredictionAttempt__Output {
  'model': (string);
  'version': (string);
  'versionDigest': (string);
  /**
   * Not set while the registry could not be asked.
   */
  'versionKnown'?: (boolean);
  /**
   * Empty where the request named its version.
   */
  'releaseId': (string);
  'seedId': (string);
  'policyVersion': (string);
  /**
   * The arm that was assigned, and the one that served: another one after a fallback.
   */
  'arm': (string);
  'servedArm': (string);
  /**
   * `primary`, `candidate` or `shadow`; empty where there is none.
   */
  'role': (string);
  'propensity': (number);
  'attempt': (number);
  /**
   * The caller got this answer.
   */
  'answered': (boolean);
  /**
   * `only-arm`, `unit`, `weight`, `rule`, `forced`, `named`, `sequence` or `shadow`.
   */
  'reason': (string);
  /**
   * Why it went there, in a sentence.
   */
  'reasonText': (string);
  'rule': (string);
  /**
   * gRPC status; 0 is OK.
   */
  'status': (number);
  'statusName': (string);
  /**
   * Status of the assigned arm for which another one served; 0 where there was no fallback.
   */
  'fallbackStatus': (number);
  'receivedAt': (_google_protobuf_Timestamp__Output | null);
  'ingestedAt': (_google_protobuf_Timestamp__Output | null);
  'timings': (_sluice_feedback_v1_AttemptTimings__Output | null);
  /**
   * Its share of the batch in core-microseconds; not set where the runtime did not say.
   */
  'costMicros'?: (number);
  'rows': (string);
  'keepProbability': (number);
  'requestId': (string);
  'subject': (string);
  'caller': (string);
  'traceId': (string);
  'runtime': (string);
  'unitHash': (Buffer);
  'inputHash': (Buffer);
  'retentionClass': (string);
  /**
   * Its id is of no day that was kept when it came.
   */
  'skewed': (boolean);
  'request': (_sluice_feedback_v1_PredictionPayload__Output | null);
  'response': (_sluice_feedback_v1_PredictionPayload__Output | null);
  '_versionKnown'?: "versionKnown";
  '_costMicros'?: "costMicros";
}
