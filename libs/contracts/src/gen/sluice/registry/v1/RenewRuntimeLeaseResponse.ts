// Original file: protos/sluice/registry/v1/watch.proto


export interface RenewRuntimeLeaseResponse {
  'ttlMs'?: (number);
}

export interface RenewRuntimeLeaseResponse__Output {
  'ttlMs': (number);
}
