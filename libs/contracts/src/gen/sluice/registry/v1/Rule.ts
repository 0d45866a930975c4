// Original file: protos/sluice/registry/v1/types.proto


/**
 * Sends requests that match to one arm before weights are looked at.
 */
export interface Rule {
  'id'?: (string);
  /**
   * Request metadata key, such as `x-region`.
   */
  'metadataKey'?: (string);
  'equals'?: (string);
  'arm'?: (string);
}

/**
 * Sends requests that match to one arm before weights are looked at.
 */
export interface Rule__Output {
  'id': (string);
  /**
   * Request metadata key, such as `x-region`.
   */
  'metadataKey': (string);
  'equals': (string);
  'arm': (string);
}
