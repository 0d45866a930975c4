// Original file: protos/sluice/registry/v1/audit.proto


export interface GetAuditKeyResponse {
  'keyId'?: (string);
  /**
   * SPKI PEM of the Ed25519 key.
   */
  'publicKeyPem'?: (string);
}

export interface GetAuditKeyResponse__Output {
  'keyId': (string);
  /**
   * SPKI PEM of the Ed25519 key.
   */
  'publicKeyPem': (string);
}
