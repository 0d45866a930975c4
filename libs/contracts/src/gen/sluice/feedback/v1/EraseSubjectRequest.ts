// Original file: protos/sluice/feedback/v1/privacy.proto


export interface EraseSubjectRequest {
  /**
   * As predictions named it in the metadata `sluice-subject`, octet for octet: 1 to 1,020 bytes of printable ASCII.
   */
  'subject'?: (string);
  /**
   * For the audit log: 1 to 1,024 bytes. It must not name the subject.
   */
  'reason'?: (string);
  /**
   * Makes it safe to repeat: the same id gives the same order. At most 128 bytes; empty for none.
   */
  'requestId'?: (string);
  /**
   * Destroys dead letters that cannot be read too, whosever payloads are in them.
   */
  'destroyUnreadable'?: (boolean);
}

export interface EraseSubjectRequest__Output {
  /**
   * As predictions named it in the metadata `sluice-subject`, octet for octet: 1 to 1,020 bytes of printable ASCII.
   */
  'subject': (string);
  /**
   * For the audit log: 1 to 1,024 bytes. It must not name the subject.
   */
  'reason': (string);
  /**
   * Makes it safe to repeat: the same id gives the same order. At most 128 bytes; empty for none.
   */
  'requestId': (string);
  /**
   * Destroys dead letters that cannot be read too, whosever payloads are in them.
   */
  'destroyUnreadable': (boolean);
}
