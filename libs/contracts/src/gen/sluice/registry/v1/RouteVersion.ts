// Original file: protos/sluice/registry/v1/watch.proto

import type { Signature as _sluice_registry_v1_Signature, Signature__Output as _sluice_registry_v1_Signature__Output } from '../../../sluice/registry/v1/Signature.ts';
import type { ServingConfig as _sluice_registry_v1_ServingConfig, ServingConfig__Output as _sluice_registry_v1_ServingConfig__Output } from '../../../sluice/registry/v1/ServingConfig.ts';
import type { Long } from '@grpc/proto-loader';

export interface RouteVersion {
  'number'?: (number | string | Long);
  'digest'?: (string);
  'signature'?: (_sluice_registry_v1_Signature | null);
  'serving'?: (_sluice_registry_v1_ServingConfig | null);
  /**
   * Its manifest declares a task: what it answers is a prediction that can be right or wrong.
   */
  'hasTask'?: (boolean);
}

export interface RouteVersion__Output {
  'number': (string);
  'digest': (string);
  'signature': (_sluice_registry_v1_Signature__Output | null);
  'serving': (_sluice_registry_v1_ServingConfig__Output | null);
  /**
   * Its manifest declares a task: what it answers is a prediction that can be right or wrong.
   */
  'hasTask': (boolean);
}
