// Original file: protos/sluice/registry/v1/datasets.proto


export interface DataSetColumn {
  /**
   * 1 to 256 visible characters.
   */
  'name'?: (string);
  /**
   * Such as `FP32`, `BYTES` or `timestamp`: at most 64 visible characters; empty when unknown.
   */
  'type'?: (string);
}

export interface DataSetColumn__Output {
  /**
   * 1 to 256 visible characters.
   */
  'name': (string);
  /**
   * Such as `FP32`, `BYTES` or `timestamp`: at most 64 visible characters; empty when unknown.
   */
  'type': (string);
}
