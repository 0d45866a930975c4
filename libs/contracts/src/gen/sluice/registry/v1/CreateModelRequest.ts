// Original file: protos/sluice/registry/v1/registry.proto

import type { ModelSettings as _sluice_registry_v1_ModelSettings, ModelSettings__Output as _sluice_registry_v1_ModelSettings__Output } from '../../../sluice/registry/v1/ModelSettings.ts';
import type { CaptureChanges as _sluice_registry_v1_CaptureChanges, CaptureChanges__Output as _sluice_registry_v1_CaptureChanges__Output } from '../../../sluice/registry/v1/CaptureChanges.ts';
import type { LabelChanges as _sluice_registry_v1_LabelChanges, LabelChanges__Output as _sluice_registry_v1_LabelChanges__Output } from '../../../sluice/registry/v1/LabelChanges.ts';

export interface CreateModelRequest {
  'name'?: (string);
  /**
   * Without `capture` and `labels`.
   */
  'settings'?: (_sluice_registry_v1_ModelSettings | null);
  /**
   * How its capture policy differs from the default. It redacts nothing yet: there are no versions to name anything.
   */
  'capture'?: (_sluice_registry_v1_CaptureChanges | null);
  /**
   * How its label policy differs from the default, which is LATEST.
   */
  'labels'?: (_sluice_registry_v1_LabelChanges | null);
}

export interface CreateModelRequest__Output {
  'name': (string);
  /**
   * Without `capture` and `labels`.
   */
  'settings': (_sluice_registry_v1_ModelSettings__Output | null);
  /**
   * How its capture policy differs from the default. It redacts nothing yet: there are no versions to name anything.
   */
  'capture': (_sluice_registry_v1_CaptureChanges__Output | null);
  /**
   * How its label policy differs from the default, which is LATEST.
   */
  'labels': (_sluice_registry_v1_LabelChanges__Output | null);
}
