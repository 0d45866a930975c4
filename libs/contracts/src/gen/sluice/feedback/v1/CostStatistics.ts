// Original file: protos/sluice/feedback/v1/predictions.proto


export interface CostStatistics {
  /**
   * Estimated sum in core-microseconds.
   */
  'totalMicros'?: (number | string);
  /**
   * Of one row; not set where no record has a cost.
   */
  'microsPerRow'?: (number | string);
  '_microsPerRow'?: "microsPerRow";
}

export interface CostStatistics__Output {
  /**
   * Estimated sum in core-microseconds.
   */
  'totalMicros': (number);
  /**
   * Of one row; not set where no record has a cost.
   */
  'microsPerRow'?: (number);
  '_microsPerRow'?: "microsPerRow";
}
