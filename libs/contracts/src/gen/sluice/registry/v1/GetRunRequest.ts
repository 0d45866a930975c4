// Original file: protos/sluice/registry/v1/runs.proto


export interface GetRunRequest {
  'run'?: (string);
}

export interface GetRunRequest__Output {
  'run': (string);
}
