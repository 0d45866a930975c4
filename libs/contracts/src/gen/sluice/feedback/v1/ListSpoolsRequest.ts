// Original file: protos/sluice/feedback/v1/privacy.proto


export interface ListSpoolsRequest {
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize'?: (number);
  /**
   * `next_page_token` of the page before.
   */
  'pageToken'?: (string);
}

export interface ListSpoolsRequest__Output {
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize': (number);
  /**
   * `next_page_token` of the page before.
   */
  'pageToken': (string);
}
