// Original file: protos/sluice/registry/v1/registry.proto


export interface ListVersionsRequest {
  'model'?: (string);
  'pageSize'?: (number);
  'pageToken'?: (string);
  'showDeleted'?: (boolean);
}

export interface ListVersionsRequest__Output {
  'model': (string);
  'pageSize': (number);
  'pageToken': (string);
  'showDeleted': (boolean);
}
