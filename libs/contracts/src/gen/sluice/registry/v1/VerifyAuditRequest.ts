// Original file: protos/sluice/registry/v1/audit.proto


export interface VerifyAuditRequest {
}

export interface VerifyAuditRequest__Output {
}
