// Original file: protos/inference/model_config.proto

import type { DataType as _inference_DataType, DataType__Output as _inference_DataType__Output } from '../inference/DataType.ts';
import type { ModelTensorReshape as _inference_ModelTensorReshape, ModelTensorReshape__Output as _inference_ModelTensorReshape__Output } from '../inference/ModelTensorReshape.ts';
import type { Long } from '@grpc/proto-loader';

export interface ModelOutput {
  'name'?: (string);
  'dataType'?: (_inference_DataType);
  'dims'?: (number | string | Long)[];
  /**
   * A file with one label per line, for classification.
   */
  'labelFilename'?: (string);
  'reshape'?: (_inference_ModelTensorReshape | null);
  'isShapeTensor'?: (boolean);
  'isNonLinearFormatIo'?: (boolean);
}

export interface ModelOutput__Output {
  'name': (string);
  'dataType': (_inference_DataType__Output);
  'dims': (string)[];
  /**
   * A file with one label per line, for classification.
   */
  'labelFilename': (string);
  'reshape': (_inference_ModelTensorReshape__Output | null);
  'isShapeTensor': (boolean);
  'isNonLinearFormatIo': (boolean);
}
