// Original file: protos/sluice/registry/v1/types.proto


/**
 * Names of features of inputs, or of inputs as a whole.
 */
export interface RedactedNames {
  /**
   * At most 256. Some ready version of the model must have each.
   */
  'names'?: (string)[];
}

/**
 * Names of features of inputs, or of inputs as a whole.
 */
export interface RedactedNames__Output {
  /**
   * At most 256. Some ready version of the model must have each.
   */
  'names': (string)[];
}
