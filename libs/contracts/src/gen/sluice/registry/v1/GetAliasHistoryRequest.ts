// Original file: protos/sluice/registry/v1/registry.proto


export interface GetAliasHistoryRequest {
  'model'?: (string);
  /**
   * Empty means all.
   */
  'alias'?: (string);
  /**
   * Revisions on a page; at most 1,000, 0 means 100. A page ends early when it is large.
   */
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface GetAliasHistoryRequest__Output {
  'model': (string);
  /**
   * Empty means all.
   */
  'alias': (string);
  /**
   * Revisions on a page; at most 1,000, 0 means 100. A page ends early when it is large.
   */
  'pageSize': (number);
  'pageToken': (string);
}
