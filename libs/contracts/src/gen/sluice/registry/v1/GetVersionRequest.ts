// Original file: protos/sluice/registry/v1/registry.proto


export interface GetVersionRequest {
  'model'?: (string);
  /**
   * A number or an alias.
   */
  'version'?: (string);
}

export interface GetVersionRequest__Output {
  'model': (string);
  /**
   * A number or an alias.
   */
  'version': (string);
}
