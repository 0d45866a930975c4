// Original file: protos/sluice/registry/v1/datasets.proto


export interface ListDataSetsRequest {
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface ListDataSetsRequest__Output {
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize': (number);
  'pageToken': (string);
}
