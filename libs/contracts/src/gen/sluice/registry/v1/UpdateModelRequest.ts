// Original file: protos/sluice/registry/v1/registry.proto

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
  '_owner'?: "owner";
  '_description'?: "description";
  '_approvalsRequired'?: "approvalsRequired";
  '_expectedRevision'?: "expectedRevision";
}
