// Original file: protos/sluice/registry/v1/audit.proto


export interface GetLatestCheckpointRequest {
}

export interface GetLatestCheckpointRequest__Output {
}
