// Original file: protos/sluice/registry/v1/datasets.proto


export interface ListDataSetVersionsRequest {
  'dataSet'?: (string);
  /**
   * At most 1,000; 0 means 100. A page ends early when it is large.
   */
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface ListDataSetVersionsRequest__Output {
  'dataSet': (string);
  /**
   * At most 1,000; 0 means 100. A page ends early when it is large.
   */
  'pageSize': (number);
  'pageToken': (string);
}
