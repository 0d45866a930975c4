// Original file: protos/sluice/registry/v1/registry.proto


export interface DownloadArtifactResponse {
  'chunk'?: (Buffer | Uint8Array | string);
}

export interface DownloadArtifactResponse__Output {
  'chunk': (Buffer);
}
