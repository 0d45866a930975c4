// Original file: protos/sluice/feedback/v1/ingest.proto


export interface SpoolHello {
  /**
   * Names the spool for as long as its folder lives: 1 to 128 of letters, digits, '.', '_' or '-'.
   */
  'spoolId'?: (string);
  'routerId'?: (string);
  /**
   * Version of this protocol that the caller speaks; N works with N+1.
   */
  'protocolVersion'?: (number);
}

export interface SpoolHello__Output {
  /**
   * Names the spool for as long as its folder lives: 1 to 128 of letters, digits, '.', '_' or '-'.
   */
  'spoolId': (string);
  'routerId': (string);
  /**
   * Version of this protocol that the caller speaks; N works with N+1.
   */
  'protocolVersion': (number);
}
