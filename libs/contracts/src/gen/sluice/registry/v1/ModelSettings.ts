// Original file: protos/sluice/registry/v1/types.proto


export interface ModelSettings {
  'owner'?: (string);
  'description'?: (string);
  /**
   * Approvals that moving `champion` needs from somebody who did not push the version: 0 or 1; not given is 1. A
   * model that is read always has it.
   */
  'approvalsRequired'?: (number);
  '_approvalsRequired'?: "approvalsRequired";
}

export interface ModelSettings__Output {
  'owner': (string);
  'description': (string);
  /**
   * Approvals that moving `champion` needs from somebody who did not push the version: 0 or 1; not given is 1. A
   * model that is read always has it.
   */
  'approvalsRequired'?: (number);
  '_approvalsRequired'?: "approvalsRequired";
}
