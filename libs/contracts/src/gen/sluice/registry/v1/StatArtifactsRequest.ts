// Original file: protos/sluice/registry/v1/registry.proto


export interface StatArtifactsRequest {
  'sha256'?: (string)[];
}

export interface StatArtifactsRequest__Output {
  'sha256': (string)[];
}
