// Original file: protos/sluice/registry/v1/registry.proto


export interface ListModelsRequest {
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface ListModelsRequest__Output {
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize': (number);
  'pageToken': (string);
}
