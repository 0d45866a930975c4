// Original file: protos/sluice/feedback/v1/export.proto


export interface ExportColumn {
  'name'?: (string);
  /**
   * Such as `string`, `int64` or `list<float>`.
   */
  'type'?: (string);
}

export interface ExportColumn__Output {
  'name': (string);
  /**
   * Such as `string`, `int64` or `list<float>`.
   */
  'type': (string);
}
