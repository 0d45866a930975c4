// Original file: protos/inference/grpc_service.proto


export interface ServerMetadataResponse {
  'name'?: (string);
  'version'?: (string);
  /**
   * Names of the optional parts of the protocol that this server has.
   */
  'extensions'?: (string)[];
}

export interface ServerMetadataResponse__Output {
  'name': (string);
  'version': (string);
  /**
   * Names of the optional parts of the protocol that this server has.
   */
  'extensions': (string)[];
}
