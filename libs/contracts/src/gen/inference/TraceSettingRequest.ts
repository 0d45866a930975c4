// Original file: protos/inference/grpc_service.proto


/**
 * Values of one setting; none resets it.
 */
export interface _inference_TraceSettingRequest_SettingValue {
  'value'?: (string)[];
}

/**
 * Values of one setting; none resets it.
 */
export interface _inference_TraceSettingRequest_SettingValue__Output {
  'value': (string)[];
}

export interface TraceSettingRequest {
  'settings'?: ({[key: string]: _inference_TraceSettingRequest_SettingValue});
  'modelName'?: (string);
}

export interface TraceSettingRequest__Output {
  'settings': ({[key: string]: _inference_TraceSettingRequest_SettingValue__Output});
  'modelName': (string);
}
