// Original file: protos/sluice/registry/v1/registry.proto

import type { ArmRole as _sluice_registry_v1_ArmRole, ArmRole__Output as _sluice_registry_v1_ArmRole__Output } from '../../../sluice/registry/v1/ArmRole.ts';
import type { Long } from '@grpc/proto-loader';

export interface ReleaseArm {
  /**
   * As an alias; unique.
   */
  'name'?: (string);
  'version'?: (number | string | Long);
  'role'?: (_sluice_registry_v1_ArmRole);
  /**
   * Share of the traffic relative to the other answering arms: 0, or 0.000001 to 1,000,000. A shadow has none.
   */
  'weight'?: (number | string);
}

export interface ReleaseArm__Output {
  /**
   * As an alias; unique.
   */
  'name': (string);
  'version': (string);
  'role': (_sluice_registry_v1_ArmRole__Output);
  /**
   * Share of the traffic relative to the other answering arms: 0, or 0.000001 to 1,000,000. A shadow has none.
   */
  'weight': (number);
}
