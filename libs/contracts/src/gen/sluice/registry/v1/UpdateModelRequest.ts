// Original file: protos/sluice/registry/v1/registry.proto

import type { CaptureChanges as _sluice_registry_v1_CaptureChanges, CaptureChanges__Output as _sluice_registry_v1_CaptureChanges__Output } from '../../../sluice/registry/v1/CaptureChanges.ts';
import type { LabelChanges as _sluice_registry_v1_LabelChanges, LabelChanges__Output as _sluice_registry_v1_LabelChanges__Output } from '../../../sluice/registry/v1/LabelChanges.ts';
import type { Long } from '@grpc/proto-loader';

export interface UpdateModelRequest {
  'name'?: (string);
  /**
   * Only the fields that are set change.
   */
  'owner'?: (string);
  'description'?: (string);
  'approvalsRequired'?: (number);
  'expectedRevision'?: (number | string | Long);
  /**
   * Changes the release too, unless that has a capture policy of its own; watchers see it at once.
   */
  'capture'?: (_sluice_registry_v1_CaptureChanges | null);
  'labels'?: (_sluice_registry_v1_LabelChanges | null);
  '_owner'?: "owner";
  '_description'?: "description";
  '_approvalsRequired'?: "approvalsRequired";
  '_expectedRevision'?: "expectedRevision";
}

export interface UpdateModelRequest__Output {
  'name': (string);
  /**
   * Only the fields that are set change.
   */
  'owner'?: (string);
  'description'?: (string);
  'approvalsRequired'?: (number);
  'expectedRevision'?: (string);
  /**
   * Changes the release too, unless that has a capture policy of its own; watchers see it at once.
   */
  'capture': (_sluice_registry_v1_CaptureChanges__Output | null);
  'labels': (_sluice_registry_v1_LabelChanges__Output | null);
  '_owner'?: "owner";
  '_description'?: "description";
  '_approvalsRequired'?: "approvalsRequired";
  '_expectedRevision'?: "expectedRevision";
}
