// Original file: protos/sluice/registry/v1/watch.proto

import type { Assignment as _sluice_registry_v1_Assignment, Assignment__Output as _sluice_registry_v1_Assignment__Output } from '../../../sluice/registry/v1/Assignment.ts';
import type { AssignmentKey as _sluice_registry_v1_AssignmentKey, AssignmentKey__Output as _sluice_registry_v1_AssignmentKey__Output } from '../../../sluice/registry/v1/AssignmentKey.ts';
import type { Quarantine as _sluice_registry_v1_Quarantine, Quarantine__Output as _sluice_registry_v1_Quarantine__Output } from '../../../sluice/registry/v1/Quarantine.ts';
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
  /**
   * Versions that no runtime may have, whatever brought them there: with `snapshot` all, otherwise those of the models that
   * changed. A registry of before this does not tell; a version that requests brought then stays until it is idle.
   */
  'quarantined'?: (_sluice_registry_v1_Quarantine)[];
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
  /**
   * Versions that no runtime may have, whatever brought them there: with `snapshot` all, otherwise those of the models that
   * changed. A registry of before this does not tell; a version that requests brought then stays until it is idle.
   */
  'quarantined': (_sluice_registry_v1_Quarantine__Output)[];
}
