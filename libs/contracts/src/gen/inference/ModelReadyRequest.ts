// Original file: protos/inference/grpc_service.proto


export interface ModelReadyRequest {
  'name'?: (string);
  /**
   * A number or an alias; empty means the model's release.
   */
  'version'?: (string);
}

export interface ModelReadyRequest__Output {
  'name': (string);
  /**
   * A number or an alias; empty means the model's release.
   */
  'version': (string);
}
