// Original file: protos/sluice/registry/v1/types.proto

import type { Durability as _sluice_registry_v1_Durability, Durability__Output as _sluice_registry_v1_Durability__Output } from '../../../sluice/registry/v1/Durability.ts';
import type { Long } from '@grpc/proto-loader';

export interface CapturePolicy {
  /**
   * Share of predictions whose evidence is kept, 0 to 1.
   */
  'rate'?: (number | string);
  /**
   * Both payloads; for readers that do not know `request` and `response`.
   */
  'payload'?: (boolean);
  'durability'?: (_sluice_registry_v1_Durability);
  /**
   * `short`, `standard` or `long`.
   */
  'retentionClass'?: (string);
  /**
   * Whether requests are kept. Not given is what `payload` says.
   */
  'request'?: (boolean);
  /**
   * Whether responses are kept. Not given: those of at most 1 KiB, of versions that declare a task; all when `payload` is set.
   */
  'response'?: (boolean);
  /**
   * A larger payload is left out of its record; 0 is 64 KiB.
   */
  'maxPayloadBytes'?: (number | string | Long);
  /**
   * What is zeroed in the copy of a request that is kept: names of features, or of inputs as a whole.
   */
  'redact'?: (string)[];
  '_request'?: "request";
  '_response'?: "response";
}

export interface CapturePolicy__Output {
  /**
   * Share of predictions whose evidence is kept, 0 to 1.
   */
  'rate': (number);
  /**
   * Both payloads; for readers that do not know `request` and `response`.
   */
  'payload': (boolean);
  'durability': (_sluice_registry_v1_Durability__Output);
  /**
   * `short`, `standard` or `long`.
   */
  'retentionClass': (string);
  /**
   * Whether requests are kept. Not given is what `payload` says.
   */
  'request'?: (boolean);
  /**
   * Whether responses are kept. Not given: those of at most 1 KiB, of versions that declare a task; all when `payload` is set.
   */
  'response'?: (boolean);
  /**
   * A larger payload is left out of its record; 0 is 64 KiB.
   */
  'maxPayloadBytes': (string);
  /**
   * What is zeroed in the copy of a request that is kept: names of features, or of inputs as a whole.
   */
  'redact': (string)[];
  '_request'?: "request";
  '_response'?: "response";
}
