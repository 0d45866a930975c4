// Original file: protos/inference/grpc_service.proto


export interface RepositoryIndexRequest {
  'repositoryName'?: (string);
  /**
   * True leaves out models that are not ready.
   */
  'ready'?: (boolean);
}

export interface RepositoryIndexRequest__Output {
  'repositoryName': (string);
  /**
   * True leaves out models that are not ready.
   */
  'ready': (boolean);
}
