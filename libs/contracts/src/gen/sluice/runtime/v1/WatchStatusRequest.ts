// Original file: protos/sluice/runtime/v1/runtime.proto


export interface WatchStatusRequest {
  'routerId'?: (string);
  'protocolVersion'?: (number);
}

export interface WatchStatusRequest__Output {
  'routerId': (string);
  'protocolVersion': (number);
}
