// Original file: protos/sluice/feedback/v1/subscribe.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * One attempt of one arm at one prediction, without its payloads and without its subject.
 */
export interface FollowedEvidence {
  'predictionId'?: (string);
  'arm'?: (string);
  'attempt'?: (number);
  'retentionClass'?: (string);
  /**
   * Its id is of no day that is kept.
   */
  'skewed'?: (boolean);
  'receivedAt'?: (_google_protobuf_Timestamp | null);
  'ingestedAt'?: (_google_protobuf_Timestamp | null);
  'model'?: (string);
  'version'?: (number | string | Long);
  'versionDigest'?: (string);
  /**
   * As of the moment it is sent; unset while the registry could not be asked.
   */
  'versionKnown'?: (boolean);
  'releaseId'?: (string);
  'seedId'?: (string);
  'policyVersion'?: (number | string | Long);
  'servedArm'?: (string);
  /**
   * Empty without one.
   */
  'role'?: (string);
  'propensity'?: (number | string);
  'keepProbability'?: (number | string);
  /**
   * `only-arm`, `unit`, `weight`, `rule`, `forced`, `named`, `sequence` or `shadow`.
   */
  'reason'?: (string);
  'answered'?: (boolean);
  /**
   * gRPC status of the attempt.
   */
  'status'?: (number);
  'fallbackStatus'?: (number);
  'sentMicros'?: (number | string | Long);
  'endedMicros'?: (number | string | Long);
  /**
   * Unset where the runtime did not say; so with the four below.
   */
  'queueMicros'?: (number | string | Long);
  'runMicros'?: (number | string | Long);
  'totalMicros'?: (number | string | Long);
  'batchRows'?: (number | string | Long);
  'costMicros'?: (number | string);
  'rows'?: (number | string | Long);
  'requestId'?: (string);
  'caller'?: (string);
  'traceId'?: (string);
  'rule'?: (string);
  'runtime'?: (string);
  /**
   * Empty without one; so with `input_hash`.
   */
  'unitHash'?: (Buffer | Uint8Array | string);
  'inputHash'?: (Buffer | Uint8Array | string);
  /**
   * What became of the payload: `off`, `captured`, `too-large`, `not-redactable`, `none` or `erased`.
   */
  'requestState'?: (string);
  'responseState'?: (string);
  '_versionKnown'?: "versionKnown";
  '_queueMicros'?: "queueMicros";
  '_runMicros'?: "runMicros";
  '_totalMicros'?: "totalMicros";
  '_batchRows'?: "batchRows";
  '_costMicros'?: "costMicros";
}

/**
 * One attempt of one arm at one prediction, without its payloads and without its subject.
 */
export interface FollowedEvidence__Output {
  'predictionId': (string);
  'arm': (string);
  'attempt': (number);
  'retentionClass': (string);
  /**
   * Its id is of no day that is kept.
   */
  'skewed': (boolean);
  'receivedAt': (_google_protobuf_Timestamp__Output | null);
  'ingestedAt': (_google_protobuf_Timestamp__Output | null);
  'model': (string);
  'version': (string);
  'versionDigest': (string);
  /**
   * As of the moment it is sent; unset while the registry could not be asked.
   */
  'versionKnown'?: (boolean);
  'releaseId': (string);
  'seedId': (string);
  'policyVersion': (string);
  'servedArm': (string);
  /**
   * Empty without one.
   */
  'role': (string);
  'propensity': (number);
  'keepProbability': (number);
  /**
   * `only-arm`, `unit`, `weight`, `rule`, `forced`, `named`, `sequence` or `shadow`.
   */
  'reason': (string);
  'answered': (boolean);
  /**
   * gRPC status of the attempt.
   */
  'status': (number);
  'fallbackStatus': (number);
  'sentMicros': (string);
  'endedMicros': (string);
  /**
   * Unset where the runtime did not say; so with the four below.
   */
  'queueMicros'?: (string);
  'runMicros'?: (string);
  'totalMicros'?: (string);
  'batchRows'?: (string);
  'costMicros'?: (number);
  'rows': (string);
  'requestId': (string);
  'caller': (string);
  'traceId': (string);
  'rule': (string);
  'runtime': (string);
  /**
   * Empty without one; so with `input_hash`.
   */
  'unitHash': (Buffer);
  'inputHash': (Buffer);
  /**
   * What became of the payload: `off`, `captured`, `too-large`, `not-redactable`, `none` or `erased`.
   */
  'requestState': (string);
  'responseState': (string);
  '_versionKnown'?: "versionKnown";
  '_queueMicros'?: "queueMicros";
  '_runMicros'?: "runMicros";
  '_totalMicros'?: "totalMicros";
  '_batchRows'?: "batchRows";
  '_costMicros'?: "costMicros";
}
