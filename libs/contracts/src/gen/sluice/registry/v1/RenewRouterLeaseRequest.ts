// Original file: protos/sluice/registry/v1/watch.proto

import type { Long } from '@grpc/proto-loader';

export interface RenewRouterLeaseRequest {
  'routerId'?: (string);
  'address'?: (string);
  'appliedRevision'?: (number | string | Long);
  'ttlMs'?: (number);
}

export interface RenewRouterLeaseRequest__Output {
  'routerId': (string);
  'address': (string);
  'appliedRevision': (string);
  'ttlMs': (number);
}
