// Original file: protos/sluice/registry/v1/types.proto

import type { ControlKind as _sluice_registry_v1_ControlKind, ControlKind__Output as _sluice_registry_v1_ControlKind__Output } from '../../../sluice/registry/v1/ControlKind.ts';
import type { Long } from '@grpc/proto-loader';

export interface ControlInput {
  'name'?: (string);
  'kind'?: (_sluice_registry_v1_ControlKind);
  /**
   * INT32, FP32 or BOOL; for CORRID INT32, UINT32, INT64, UINT64 or BYTES.
   */
  'datatype'?: (string);
  /**
   * Of one row, without the batch dimension; one element.
   */
  'dims'?: (number | string | Long)[];
  /**
   * What stands for false and true; 0 for CORRID.
   */
  'falseValue'?: (number | string);
  'trueValue'?: (number | string);
}

export interface ControlInput__Output {
  'name': (string);
  'kind': (_sluice_registry_v1_ControlKind__Output);
  /**
   * INT32, FP32 or BOOL; for CORRID INT32, UINT32, INT64, UINT64 or BYTES.
   */
  'datatype': (string);
  /**
   * Of one row, without the batch dimension; one element.
   */
  'dims': (string)[];
  /**
   * What stands for false and true; 0 for CORRID.
   */
  'falseValue': (number);
  'trueValue': (number);
}
