// Original file: protos/sluice/registry/v1/watch.proto


export interface ReleaseLeaseRequest {
  'holderId'?: (string);
}

export interface ReleaseLeaseRequest__Output {
  'holderId': (string);
}
