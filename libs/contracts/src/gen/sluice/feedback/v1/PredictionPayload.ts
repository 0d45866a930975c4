// Original file: protos/sluice/feedback/v1/predictions.proto

import type { PayloadTensor as _sluice_feedback_v1_PayloadTensor, PayloadTensor__Output as _sluice_feedback_v1_PayloadTensor__Output } from '../../../sluice/feedback/v1/PayloadTensor.ts';
import type { Long } from '@grpc/proto-loader';

export interface PredictionPayload {
  /**
   * `off`, `captured`, `too-large`, `not-redactable`, `none` or `erased`.
   */
  'state'?: (string);
  /**
   * Of what is stored; 0 where nothing is.
   */
  'sizeBytes'?: (number | string | Long);
  /**
   * Only `with_payload`.
   */
  'tensors'?: (_sluice_feedback_v1_PayloadTensor)[];
  /**
   * Why there are no tensors, or no names in them, although it is captured; empty where nothing is wrong.
   */
  'problem'?: (string);
}

export interface PredictionPayload__Output {
  /**
   * `off`, `captured`, `too-large`, `not-redactable`, `none` or `erased`.
   */
  'state': (string);
  /**
   * Of what is stored; 0 where nothing is.
   */
  'sizeBytes': (string);
  /**
   * Only `with_payload`.
   */
  'tensors': (_sluice_feedback_v1_PayloadTensor__Output)[];
  /**
   * Why there are no tensors, or no names in them, although it is captured; empty where nothing is wrong.
   */
  'problem': (string);
}
