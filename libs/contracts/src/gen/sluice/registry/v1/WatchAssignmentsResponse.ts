// Original file: protos/sluice/registry/v1/watch.proto

import type { Assignment as _sluice_registry_v1_Assignment, Assignment__Output as _sluice_registry_v1_Assignment__Output } from '../../../sluice/registry/v1/Assignment.ts';
import type { AssignmentKey as _sluice_registry_v1_AssignmentKey, AssignmentKey__Output as _sluice_registry_v1_AssignmentKey__Output } from '../../../sluice/registry/v1/AssignmentKey.ts';
import type { Long } from '@grpc/proto-loader';

export interface WatchAssignmentsResponse {
  'resumeToken'?: (number | string | Long);
  'snapshot'?: (boolean);
  /**
   * With `snapshot` the whole set; otherwise versions that were added or changed.
   */
  'assignments'?: (_sluice_registry_v1_Assignment)[];
  'removed'?: (_sluice_registry_v1_AssignmentKey)[];
  'protocolVersion'?: (number);
  /**
   * True: the next message belongs to this update. Apply all of them at once, when one comes without it.
   */
  'more'?: (boolean);
}

export interface WatchAssignmentsResponse__Output {
  'resumeToken': (string);
  'snapshot': (boolean);
  /**
   * With `snapshot` the whole set; otherwise versions that were added or changed.
   */
  'assignments': (_sluice_registry_v1_Assignment__Output)[];
  'removed': (_sluice_registry_v1_AssignmentKey__Output)[];
  'protocolVersion': (number);
  /**
   * True: the next message belongs to this update. Apply all of them at once, when one comes without it.
   */
  'more': (boolean);
}
