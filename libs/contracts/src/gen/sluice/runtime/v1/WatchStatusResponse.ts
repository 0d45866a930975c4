// Original file: protos/sluice/runtime/v1/runtime.proto

import type { RuntimeVersion as _sluice_runtime_v1_RuntimeVersion, RuntimeVersion__Output as _sluice_runtime_v1_RuntimeVersion__Output } from '../../../sluice/runtime/v1/RuntimeVersion.ts';

export interface WatchStatusResponse {
  'runtimeId'?: (string);
  'versions'?: (_sluice_runtime_v1_RuntimeVersion)[];
  /**
   * True while it stops: send nothing new.
   */
  'draining'?: (boolean);
  'protocolVersion'?: (number);
  /**
   * A request for a version that exists and is not placed makes it load that version.
   */
  'loadsOnDemand'?: (boolean);
}

export interface WatchStatusResponse__Output {
  'runtimeId': (string);
  'versions': (_sluice_runtime_v1_RuntimeVersion__Output)[];
  /**
   * True while it stops: send nothing new.
   */
  'draining': (boolean);
  'protocolVersion': (number);
  /**
   * A request for a version that exists and is not placed makes it load that version.
   */
  'loadsOnDemand': (boolean);
}
