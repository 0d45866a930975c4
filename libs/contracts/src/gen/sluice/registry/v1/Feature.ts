// Original file: protos/sluice/registry/v1/types.proto


/**
 * What `sluice.yaml` or the graph's metadata says of one column of an input.
 */
export interface Feature {
  'name'?: (string);
  'min'?: (number | string);
  'max'?: (number | string);
  'nullable'?: (boolean);
  '_min'?: "min";
  '_max'?: "max";
}

/**
 * What `sluice.yaml` or the graph's metadata says of one column of an input.
 */
export interface Feature__Output {
  'name': (string);
  'min'?: (number);
  'max'?: (number);
  'nullable': (boolean);
  '_min'?: "min";
  '_max'?: "max";
}
