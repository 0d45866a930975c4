// Original file: protos/sluice/feedback/v1/feedback.proto


export interface ListDeadLettersRequest {
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize'?: (number);
  /**
   * `next_page_token` of the page before.
   */
  'pageToken'?: (string);
  /**
   * Only those with this reason; empty for all.
   */
  'reason'?: (string);
}

export interface ListDeadLettersRequest__Output {
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize': (number);
  /**
   * `next_page_token` of the page before.
   */
  'pageToken': (string);
  /**
   * Only those with this reason; empty for all.
   */
  'reason': (string);
}
