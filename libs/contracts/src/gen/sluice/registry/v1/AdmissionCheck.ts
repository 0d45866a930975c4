// Original file: protos/sluice/registry/v1/types.proto


export interface AdmissionCheck {
  'name'?: (string);
  'passed'?: (boolean);
  'detail'?: (string);
}

export interface AdmissionCheck__Output {
  'name': (string);
  'passed': (boolean);
  'detail': (string);
}
