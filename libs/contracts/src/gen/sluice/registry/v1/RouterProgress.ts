// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface RouterProgress {
  'routerId'?: (string);
  'appliedRevision'?: (number | string | Long);
  'applied'?: (boolean);
}

export interface RouterProgress__Output {
  'routerId': (string);
  'appliedRevision': (string);
  'applied': (boolean);
}
