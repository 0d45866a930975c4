// Original file: protos/sluice/registry/v1/types.proto

import type { ArmRole as _sluice_registry_v1_ArmRole, ArmRole__Output as _sluice_registry_v1_ArmRole__Output } from '../../../sluice/registry/v1/ArmRole.ts';
import type { Long } from '@grpc/proto-loader';

export interface Arm {
  'name'?: (string);
  'version'?: (number | string | Long);
  'role'?: (_sluice_registry_v1_ArmRole);
  'weight'?: (number | string);
  /**
   * Probability with which this arm is chosen, logged into the evidence.
   */
  'propensity'?: (number | string);
  'versionDigest'?: (string);
}

export interface Arm__Output {
  'name': (string);
  'version': (string);
  'role': (_sluice_registry_v1_ArmRole__Output);
  'weight': (number);
  /**
   * Probability with which this arm is chosen, logged into the evidence.
   */
  'propensity': (number);
  'versionDigest': (string);
}
