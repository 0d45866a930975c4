// Original file: protos/sluice/registry/v1/watch.proto


export interface ReleaseLeaseResponse {
}

export interface ReleaseLeaseResponse__Output {
}
