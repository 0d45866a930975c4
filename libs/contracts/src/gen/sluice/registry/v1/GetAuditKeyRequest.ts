// Original file: protos/sluice/registry/v1/audit.proto


export interface GetAuditKeyRequest {
}

export interface GetAuditKeyRequest__Output {
}
