// Original file: protos/sluice/registry/v1/watch.proto


export interface RenewRouterLeaseResponse {
  'ttlMs'?: (number);
}

export interface RenewRouterLeaseResponse__Output {
  'ttlMs': (number);
}
