// Original file: protos/sluice/registry/v1/types.proto

import type { WarmupInput as _sluice_registry_v1_WarmupInput, WarmupInput__Output as _sluice_registry_v1_WarmupInput__Output } from '../../../sluice/registry/v1/WarmupInput.ts';

export interface WarmupRequest {
  'name'?: (string);
  /**
   * Rows; 1 where the graph has no batch dimension.
   */
  'batchSize'?: (number);
  /**
   * How often every session runs it.
   */
  'count'?: (number);
  /**
   * Every input of the signature, in its order.
   */
  'inputs'?: (_sluice_registry_v1_WarmupInput)[];
}

export interface WarmupRequest__Output {
  'name': (string);
  /**
   * Rows; 1 where the graph has no batch dimension.
   */
  'batchSize': (number);
  /**
   * How often every session runs it.
   */
  'count': (number);
  /**
   * Every input of the signature, in its order.
   */
  'inputs': (_sluice_registry_v1_WarmupInput__Output)[];
}
