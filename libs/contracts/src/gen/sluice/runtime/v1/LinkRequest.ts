// Original file: protos/sluice/runtime/v1/runtime.proto


export interface LinkRequest {
  'frames'?: (Buffer | Uint8Array | string);
}

export interface LinkRequest__Output {
  'frames': (Buffer);
}
