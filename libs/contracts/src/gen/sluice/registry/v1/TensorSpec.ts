// Original file: protos/sluice/registry/v1/types.proto

import type { Feature as _sluice_registry_v1_Feature, Feature__Output as _sluice_registry_v1_Feature__Output } from '../../../sluice/registry/v1/Feature.ts';
import type { Long } from '@grpc/proto-loader';

export interface TensorSpec {
  'name'?: (string);
  /**
   * OIP datatype: BOOL, UINT8 ... FP64, BYTES.
   */
  'datatype'?: (string);
  /**
   * With the batch dimension; -1 where a dimension is dynamic.
   */
  'shape'?: (number | string | Long)[];
  /**
   * Names of the dynamic dimensions, by index; empty where the graph names none.
   */
  'dimNames'?: (string)[];
  'features'?: (_sluice_registry_v1_Feature)[];
  /**
   * Lowest and highest value of every column, and whether one may be missing (NaN), where `features` has nothing for it.
   */
  'min'?: (number | string);
  'max'?: (number | string);
  'nullable'?: (boolean);
  /**
   * Of an output: what the values of a row stand for, by index.
   */
  'classNames'?: (string)[];
  /**
   * Of an input of images: `NCHW` or `NHWC`; empty where nobody said.
   */
  'format'?: (string);
  '_min'?: "min";
  '_max'?: "max";
  '_nullable'?: "nullable";
}

export interface TensorSpec__Output {
  'name': (string);
  /**
   * OIP datatype: BOOL, UINT8 ... FP64, BYTES.
   */
  'datatype': (string);
  /**
   * With the batch dimension; -1 where a dimension is dynamic.
   */
  'shape': (string)[];
  /**
   * Names of the dynamic dimensions, by index; empty where the graph names none.
   */
  'dimNames': (string)[];
  'features': (_sluice_registry_v1_Feature__Output)[];
  /**
   * Lowest and highest value of every column, and whether one may be missing (NaN), where `features` has nothing for it.
   */
  'min'?: (number);
  'max'?: (number);
  'nullable'?: (boolean);
  /**
   * Of an output: what the values of a row stand for, by index.
   */
  'classNames': (string)[];
  /**
   * Of an input of images: `NCHW` or `NHWC`; empty where nobody said.
   */
  'format': (string);
  '_min'?: "min";
  '_max'?: "max";
  '_nullable'?: "nullable";
}
