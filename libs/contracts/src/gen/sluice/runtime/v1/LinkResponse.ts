// Original file: protos/sluice/runtime/v1/runtime.proto


export interface LinkResponse {
  'frames'?: (Buffer | Uint8Array | string);
}

export interface LinkResponse__Output {
  'frames': (Buffer);
}
