// Original file: protos/sluice/registry/v1/registry.proto


export interface GetAliasHistoryRequest {
  'model'?: (string);
  /**
   * Empty means all.
   */
  'alias'?: (string);
}

export interface GetAliasHistoryRequest__Output {
  'model': (string);
  /**
   * Empty means all.
   */
  'alias': (string);
}
