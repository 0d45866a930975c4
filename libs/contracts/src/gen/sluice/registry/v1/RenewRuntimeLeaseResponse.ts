// Original file: protos/sluice/registry/v1/watch.proto


export interface RenewRuntimeLeaseResponse {
  'ttlMs'?: (number);
  /**
   * LOAD_STATE_EVICTED is understood; a registry of before it refuses leases that have it.
   */
  'takesEvicted'?: (boolean);
}

export interface RenewRuntimeLeaseResponse__Output {
  'ttlMs': (number);
  /**
   * LOAD_STATE_EVICTED is understood; a registry of before it refuses leases that have it.
   */
  'takesEvicted': (boolean);
}
