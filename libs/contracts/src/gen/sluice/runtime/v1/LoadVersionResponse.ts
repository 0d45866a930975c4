// Original file: protos/sluice/runtime/v1/runtime.proto


export interface LoadVersionResponse {
}

export interface LoadVersionResponse__Output {
}
