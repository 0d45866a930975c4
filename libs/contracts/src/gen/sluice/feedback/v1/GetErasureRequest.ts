// Original file: protos/sluice/feedback/v1/privacy.proto


export interface GetErasureRequest {
  'erasureId'?: (string);
}

export interface GetErasureRequest__Output {
  'erasureId': (string);
}
