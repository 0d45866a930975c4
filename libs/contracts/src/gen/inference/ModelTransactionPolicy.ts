// Original file: protos/inference/model_config.proto


export interface ModelTransactionPolicy {
  /**
   * The model may answer one request with none or several responses.
   */
  'decoupled'?: (boolean);
}

export interface ModelTransactionPolicy__Output {
  /**
   * The model may answer one request with none or several responses.
   */
  'decoupled': (boolean);
}
