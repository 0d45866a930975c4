// Original file: protos/sluice/registry/v1/types.proto

import type { CapturePolicy as _sluice_registry_v1_CapturePolicy, CapturePolicy__Output as _sluice_registry_v1_CapturePolicy__Output } from '../../../sluice/registry/v1/CapturePolicy.ts';
import type { LabelPolicy as _sluice_registry_v1_LabelPolicy, LabelPolicy__Output as _sluice_registry_v1_LabelPolicy__Output } from '../../../sluice/registry/v1/LabelPolicy.ts';

export interface ModelSettings {
  'owner'?: (string);
  'description'?: (string);
  /**
   * Approvals that moving `champion` needs from somebody who did not push the version: 0 or 1; not given is 1. A
   * model that is read always has it.
   */
  'approvalsRequired'?: (number);
  /**
   * Which evidence is kept, by every release that says nothing of its own. Read only: CreateModelRequest and
   * UpdateModelRequest have the fields that change it.
   */
  'capture'?: (_sluice_registry_v1_CapturePolicy | null);
  /**
   * Which label of a row counts where there are several. Read only, as `capture` is. A model that is read always has it;
   * from a registry of before this it is unset, which is LATEST.
   */
  'labels'?: (_sluice_registry_v1_LabelPolicy | null);
  '_approvalsRequired'?: "approvalsRequired";
}

export interface ModelSettings__Output {
  'owner': (string);
  'description': (string);
  /**
   * Approvals that moving `champion` needs from somebody who did not push the version: 0 or 1; not given is 1. A
   * model that is read always has it.
   */
  'approvalsRequired'?: (number);
  /**
   * Which evidence is kept, by every release that says nothing of its own. Read only: CreateModelRequest and
   * UpdateModelRequest have the fields that change it.
   */
  'capture': (_sluice_registry_v1_CapturePolicy__Output | null);
  /**
   * Which label of a row counts where there are several. Read only, as `capture` is. A model that is read always has it;
   * from a registry of before this it is unset, which is LATEST.
   */
  'labels': (_sluice_registry_v1_LabelPolicy__Output | null);
  '_approvalsRequired'?: "approvalsRequired";
}
