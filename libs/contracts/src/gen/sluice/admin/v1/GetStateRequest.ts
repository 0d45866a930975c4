// Original file: protos/sluice/admin/v1/admin.proto


export interface GetStateRequest {
}

export interface GetStateRequest__Output {
}
