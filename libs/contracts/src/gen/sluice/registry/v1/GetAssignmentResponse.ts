// Original file: protos/sluice/registry/v1/watch.proto

import type { Assignment as _sluice_registry_v1_Assignment, Assignment__Output as _sluice_registry_v1_Assignment__Output } from '../../../sluice/registry/v1/Assignment.ts';

export interface GetAssignmentResponse {
  'assignment'?: (_sluice_registry_v1_Assignment | null);
}

export interface GetAssignmentResponse__Output {
  'assignment': (_sluice_registry_v1_Assignment__Output | null);
}
