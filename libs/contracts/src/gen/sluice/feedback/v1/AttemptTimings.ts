// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Whole microseconds; `sent` and `ended` from when the request was there whole, the others of the runtime.
 */
export interface AttemptTimings {
  'sentMicros'?: (number | string | Long);
  'endedMicros'?: (number | string | Long);
  'queueMicros'?: (number | string | Long);
  'runMicros'?: (number | string | Long);
  'totalMicros'?: (number | string | Long);
  'batchRows'?: (number | string | Long);
  '_queueMicros'?: "queueMicros";
  '_runMicros'?: "runMicros";
  '_totalMicros'?: "totalMicros";
  '_batchRows'?: "batchRows";
}

/**
 * Whole microseconds; `sent` and `ended` from when the request was there whole, the others of the runtime.
 */
export interface AttemptTimings__Output {
  'sentMicros': (string);
  'endedMicros': (string);
  'queueMicros'?: (string);
  'runMicros'?: (string);
  'totalMicros'?: (string);
  'batchRows'?: (string);
  '_queueMicros'?: "queueMicros";
  '_runMicros'?: "runMicros";
  '_totalMicros'?: "totalMicros";
  '_batchRows'?: "batchRows";
}
