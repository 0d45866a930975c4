// Original file: protos/sluice/registry/v1/types.proto

import type { Durability as _sluice_registry_v1_Durability, Durability__Output as _sluice_registry_v1_Durability__Output } from '../../../sluice/registry/v1/Durability.ts';

export interface CapturePolicy {
  /**
   * Share of predictions whose evidence is kept, 0 to 1.
   */
  'rate'?: (number | string);
  'payload'?: (boolean);
  'durability'?: (_sluice_registry_v1_Durability);
  'retentionClass'?: (string);
}

export interface CapturePolicy__Output {
  /**
   * Share of predictions whose evidence is kept, 0 to 1.
   */
  'rate': (number);
  'payload': (boolean);
  'durability': (_sluice_registry_v1_Durability__Output);
  'retentionClass': (string);
}
