// Original file: protos/sluice/registry/v1/registry.proto


export interface ListLeasesRequest {
}

export interface ListLeasesRequest__Output {
}
