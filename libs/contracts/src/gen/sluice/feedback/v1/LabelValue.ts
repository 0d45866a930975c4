// Original file: protos/sluice/feedback/v1/labels.proto


/**
 * The truth of one row.
 */
export interface LabelValue {
  /**
   * The class, of a classification: at most 1,024 bytes.
   */
  'name'?: (string);
  /**
   * Of a regression: finite.
   */
  'number'?: (number | string);
  'value'?: "name"|"number";
}

/**
 * The truth of one row.
 */
export interface LabelValue__Output {
  /**
   * The class, of a classification: at most 1,024 bytes.
   */
  'name'?: (string);
  /**
   * Of a regression: finite.
   */
  'number'?: (number);
  'value'?: "name"|"number";
}
