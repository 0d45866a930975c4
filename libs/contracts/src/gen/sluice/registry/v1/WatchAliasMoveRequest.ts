// Original file: protos/sluice/registry/v1/registry.proto


export interface WatchAliasMoveRequest {
  'moveId'?: (string);
}

export interface WatchAliasMoveRequest__Output {
  'moveId': (string);
}
