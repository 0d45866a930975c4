// Original file: protos/sluice/registry/v1/types.proto


export interface TrustedSources {
  /**
   * At most 32, each once, of 1 to 200 bytes. TRUSTED_FIRST needs one at least.
   */
  'names'?: (string)[];
}

export interface TrustedSources__Output {
  /**
   * At most 32, each once, of 1 to 200 bytes. TRUSTED_FIRST needs one at least.
   */
  'names': (string)[];
}
