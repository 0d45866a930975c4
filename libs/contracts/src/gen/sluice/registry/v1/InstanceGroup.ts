// Original file: protos/sluice/registry/v1/types.proto


export interface InstanceGroup {
  'count'?: (number);
  /**
   * `cpu`, `cuda`, `cuda:1` or `webgpu`.
   */
  'device'?: (string);
}

export interface InstanceGroup__Output {
  'count': (number);
  /**
   * `cpu`, `cuda`, `cuda:1` or `webgpu`.
   */
  'device': (string);
}
