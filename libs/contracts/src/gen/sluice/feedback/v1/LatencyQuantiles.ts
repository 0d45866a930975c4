// Original file: protos/sluice/feedback/v1/predictions.proto


/**
 * Microseconds from when a request was there whole until its answer: weighted, within 1 percent.
 */
export interface LatencyQuantiles {
  'p50Micros'?: (number | string);
  'p90Micros'?: (number | string);
  'p99Micros'?: (number | string);
}

/**
 * Microseconds from when a request was there whole until its answer: weighted, within 1 percent.
 */
export interface LatencyQuantiles__Output {
  'p50Micros': (number);
  'p90Micros': (number);
  'p99Micros': (number);
}
