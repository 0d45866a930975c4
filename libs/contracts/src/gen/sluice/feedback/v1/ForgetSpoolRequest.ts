// Original file: protos/sluice/feedback/v1/privacy.proto


export interface ForgetSpoolRequest {
  'spoolId'?: (string);
  /**
   * For the audit log: 1 to 1,024 bytes.
   */
  'reason'?: (string);
}

export interface ForgetSpoolRequest__Output {
  'spoolId': (string);
  /**
   * For the audit log: 1 to 1,024 bytes.
   */
  'reason': (string);
}
