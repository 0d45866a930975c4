// Original file: protos/sluice/registry/v1/registry.proto


export interface StatArtifactsResponse {
  'present'?: (string)[];
}

export interface StatArtifactsResponse__Output {
  'present': (string)[];
}
