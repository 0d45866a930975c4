// Original file: protos/sluice/registry/v1/registry.proto

import type { ReleaseMode as _sluice_registry_v1_ReleaseMode, ReleaseMode__Output as _sluice_registry_v1_ReleaseMode__Output } from '../../../sluice/registry/v1/ReleaseMode.ts';
import type { ReleaseArm as _sluice_registry_v1_ReleaseArm, ReleaseArm__Output as _sluice_registry_v1_ReleaseArm__Output } from '../../../sluice/registry/v1/ReleaseArm.ts';
import type { Rule as _sluice_registry_v1_Rule, Rule__Output as _sluice_registry_v1_Rule__Output } from '../../../sluice/registry/v1/Rule.ts';
import type { CaptureChanges as _sluice_registry_v1_CaptureChanges, CaptureChanges__Output as _sluice_registry_v1_CaptureChanges__Output } from '../../../sluice/registry/v1/CaptureChanges.ts';
import type { Long } from '@grpc/proto-loader';

export interface PutReleaseRequest {
  'model'?: (string);
  /**
   * FIXED has one arm, AB two or more that answer, CANARY a primary and one candidate, SHADOW a primary and one or more
   * shadows; AB and CANARY may have shadows too. BANDIT is not implemented.
   */
  'mode'?: (_sluice_registry_v1_ReleaseMode);
  /**
   * At most 16, one of them the primary.
   */
  'arms'?: (_sluice_registry_v1_ReleaseArm)[];
  /**
   * At most 64; the first that matches decides. One without an `id` is named by its place: `rule-1`.
   */
  'rules'?: (_sluice_registry_v1_Rule)[];
  /**
   * How its capture policy differs from the model's, of which it is then independent. Not given: the model's holds.
   */
  'capture'?: (_sluice_registry_v1_CaptureChanges | null);
  /**
   * Names the hash seed by which units are assigned to arms; empty keeps that of the release before.
   */
  'seedId'?: (string);
  /**
   * The revision of the model's release, implicit or not; 0 means that it must not have one.
   */
  'expectedRevision'?: (number | string | Long);
  '_expectedRevision'?: "expectedRevision";
}

export interface PutReleaseRequest__Output {
  'model': (string);
  /**
   * FIXED has one arm, AB two or more that answer, CANARY a primary and one candidate, SHADOW a primary and one or more
   * shadows; AB and CANARY may have shadows too. BANDIT is not implemented.
   */
  'mode': (_sluice_registry_v1_ReleaseMode__Output);
  /**
   * At most 16, one of them the primary.
   */
  'arms': (_sluice_registry_v1_ReleaseArm__Output)[];
  /**
   * At most 64; the first that matches decides. One without an `id` is named by its place: `rule-1`.
   */
  'rules': (_sluice_registry_v1_Rule__Output)[];
  /**
   * How its capture policy differs from the model's, of which it is then independent. Not given: the model's holds.
   */
  'capture': (_sluice_registry_v1_CaptureChanges__Output | null);
  /**
   * Names the hash seed by which units are assigned to arms; empty keeps that of the release before.
   */
  'seedId': (string);
  /**
   * The revision of the model's release, implicit or not; 0 means that it must not have one.
   */
  'expectedRevision'?: (string);
  '_expectedRevision'?: "expectedRevision";
}
