// Original file: protos/inference/grpc_service.proto


export interface ModelMetadataRequest {
  'name'?: (string);
  /**
   * A number or an alias; empty means the model's release.
   */
  'version'?: (string);
}

export interface ModelMetadataRequest__Output {
  'name': (string);
  /**
   * A number or an alias; empty means the model's release.
   */
  'version': (string);
}
