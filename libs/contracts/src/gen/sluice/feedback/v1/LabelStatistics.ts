// Original file: protos/sluice/feedback/v1/predictions.proto


export interface LabelStatistics {
  /**
   * Answered rows that have a label, and all of them that could: those of predictions that are old enough.
   */
  'labelledRows'?: (number | string);
  'rows'?: (number | string);
  /**
   * Not set without rows.
   */
  'coverage'?: (number | string);
  /**
   * From prediction to the label that counts, weighted; not set without labels.
   */
  'ageP50Seconds'?: (number | string);
  'ageP90Seconds'?: (number | string);
  '_coverage'?: "coverage";
  '_ageP50Seconds'?: "ageP50Seconds";
  '_ageP90Seconds'?: "ageP90Seconds";
}

export interface LabelStatistics__Output {
  /**
   * Answered rows that have a label, and all of them that could: those of predictions that are old enough.
   */
  'labelledRows': (number);
  'rows': (number);
  /**
   * Not set without rows.
   */
  'coverage'?: (number);
  /**
   * From prediction to the label that counts, weighted; not set without labels.
   */
  'ageP50Seconds'?: (number);
  'ageP90Seconds'?: (number);
  '_coverage'?: "coverage";
  '_ageP50Seconds'?: "ageP50Seconds";
  '_ageP90Seconds'?: "ageP90Seconds";
}
