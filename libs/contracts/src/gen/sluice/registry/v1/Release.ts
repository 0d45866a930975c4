// Original file: protos/sluice/registry/v1/types.proto

import type { ReleaseMode as _sluice_registry_v1_ReleaseMode, ReleaseMode__Output as _sluice_registry_v1_ReleaseMode__Output } from '../../../sluice/registry/v1/ReleaseMode.ts';
import type { Arm as _sluice_registry_v1_Arm, Arm__Output as _sluice_registry_v1_Arm__Output } from '../../../sluice/registry/v1/Arm.ts';
import type { Rule as _sluice_registry_v1_Rule, Rule__Output as _sluice_registry_v1_Rule__Output } from '../../../sluice/registry/v1/Rule.ts';
import type { CapturePolicy as _sluice_registry_v1_CapturePolicy, CapturePolicy__Output as _sluice_registry_v1_CapturePolicy__Output } from '../../../sluice/registry/v1/CapturePolicy.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * How a model's traffic is split.
 */
export interface Release {
  'id'?: (string);
  'model'?: (string);
  'mode'?: (_sluice_registry_v1_ReleaseMode);
  'arms'?: (_sluice_registry_v1_Arm)[];
  'rules'?: (_sluice_registry_v1_Rule)[];
  'capture'?: (_sluice_registry_v1_CapturePolicy | null);
  /**
   * Names the hash seed by which units are assigned to arms.
   */
  'seedId'?: (string);
  /**
   * Number of the policy that set the propensities; 0 for fixed ones.
   */
  'policyVersion'?: (number | string | Long);
  'revision'?: (number | string | Long);
  /**
   * True when an alias or pin made it, not a person.
   */
  'implicit'?: (boolean);
  /**
   * True when `capture` is the release's own; else it is the model's and follows what is set there.
   */
  'ownCapture'?: (boolean);
}

/**
 * How a model's traffic is split.
 */
export interface Release__Output {
  'id': (string);
  'model': (string);
  'mode': (_sluice_registry_v1_ReleaseMode__Output);
  'arms': (_sluice_registry_v1_Arm__Output)[];
  'rules': (_sluice_registry_v1_Rule__Output)[];
  'capture': (_sluice_registry_v1_CapturePolicy__Output | null);
  /**
   * Names the hash seed by which units are assigned to arms.
   */
  'seedId': (string);
  /**
   * Number of the policy that set the propensities; 0 for fixed ones.
   */
  'policyVersion': (string);
  'revision': (string);
  /**
   * True when an alias or pin made it, not a person.
   */
  'implicit': (boolean);
  /**
   * True when `capture` is the release's own; else it is the model's and follows what is set there.
   */
  'ownCapture': (boolean);
}
