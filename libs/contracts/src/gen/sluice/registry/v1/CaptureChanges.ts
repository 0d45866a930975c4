// Original file: protos/sluice/registry/v1/types.proto

import type { ResponseCapture as _sluice_registry_v1_ResponseCapture, ResponseCapture__Output as _sluice_registry_v1_ResponseCapture__Output } from '../../../sluice/registry/v1/ResponseCapture.ts';
import type { Durability as _sluice_registry_v1_Durability, Durability__Output as _sluice_registry_v1_Durability__Output } from '../../../sluice/registry/v1/Durability.ts';
import type { RedactedNames as _sluice_registry_v1_RedactedNames, RedactedNames__Output as _sluice_registry_v1_RedactedNames__Output } from '../../../sluice/registry/v1/RedactedNames.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Changes of a capture policy: only the fields that are set change.
 */
export interface CaptureChanges {
  'rate'?: (number | string);
  'request'?: (boolean);
  /**
   * Not given or UNSPECIFIED: as it is.
   */
  'response'?: (_sluice_registry_v1_ResponseCapture);
  /**
   * 1 to 67,108,864.
   */
  'maxPayloadBytes'?: (number | string | Long);
  /**
   * Not given or UNSPECIFIED: as it is.
   */
  'durability'?: (_sluice_registry_v1_Durability);
  'retentionClass'?: (string);
  /**
   * Replaces the whole list; without names nothing is zeroed.
   */
  'redact'?: (_sluice_registry_v1_RedactedNames | null);
  '_rate'?: "rate";
  '_request'?: "request";
  '_maxPayloadBytes'?: "maxPayloadBytes";
  '_retentionClass'?: "retentionClass";
}

/**
 * Changes of a capture policy: only the fields that are set change.
 */
export interface CaptureChanges__Output {
  'rate'?: (number);
  'request'?: (boolean);
  /**
   * Not given or UNSPECIFIED: as it is.
   */
  'response': (_sluice_registry_v1_ResponseCapture__Output);
  /**
   * 1 to 67,108,864.
   */
  'maxPayloadBytes'?: (string);
  /**
   * Not given or UNSPECIFIED: as it is.
   */
  'durability': (_sluice_registry_v1_Durability__Output);
  'retentionClass'?: (string);
  /**
   * Replaces the whole list; without names nothing is zeroed.
   */
  'redact': (_sluice_registry_v1_RedactedNames__Output | null);
  '_rate'?: "rate";
  '_request'?: "request";
  '_maxPayloadBytes'?: "maxPayloadBytes";
  '_retentionClass'?: "retentionClass";
}
