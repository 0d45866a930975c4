// Original file: protos/sluice/registry/v1/watch.proto

import type { Alias as _sluice_registry_v1_Alias, Alias__Output as _sluice_registry_v1_Alias__Output } from '../../../sluice/registry/v1/Alias.ts';
import type { Release as _sluice_registry_v1_Release, Release__Output as _sluice_registry_v1_Release__Output } from '../../../sluice/registry/v1/Release.ts';
import type { RouteVersion as _sluice_registry_v1_RouteVersion, RouteVersion__Output as _sluice_registry_v1_RouteVersion__Output } from '../../../sluice/registry/v1/RouteVersion.ts';
import type { Quarantine as _sluice_registry_v1_Quarantine, Quarantine__Output as _sluice_registry_v1_Quarantine__Output } from '../../../sluice/registry/v1/Quarantine.ts';
import type { CapturePolicy as _sluice_registry_v1_CapturePolicy, CapturePolicy__Output as _sluice_registry_v1_CapturePolicy__Output } from '../../../sluice/registry/v1/CapturePolicy.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * All that a router needs of one model.
 */
export interface ModelRoute {
  'model'?: (string);
  'aliases'?: (_sluice_registry_v1_Alias)[];
  /**
   * Where an empty `model_version` goes; unset when there is neither champion nor pin.
   */
  'release'?: (_sluice_registry_v1_Release | null);
  /**
   * Ready versions that are placed.
   */
  'placed'?: (_sluice_registry_v1_RouteVersion)[];
  /**
   * Ready versions that exist and are not placed.
   */
  'unplaced'?: (number | string | Long)[];
  'revision'?: (number | string | Long);
  /**
   * Versions that are held somewhere and loaded nowhere, because they ended runtimes; they are in `unplaced` too.
   */
  'quarantined'?: (_sluice_registry_v1_Quarantine)[];
  /**
   * Some ready version, placed or not, keeps sequences. A registry of before this says it of no model: look at `placed` too.
   */
  'keepsSequences'?: (boolean);
  /**
   * Which evidence is kept of requests while there is no release. A registry of before this sends none: the default holds then.
   */
  'capture'?: (_sluice_registry_v1_CapturePolicy | null);
}

/**
 * All that a router needs of one model.
 */
export interface ModelRoute__Output {
  'model': (string);
  'aliases': (_sluice_registry_v1_Alias__Output)[];
  /**
   * Where an empty `model_version` goes; unset when there is neither champion nor pin.
   */
  'release': (_sluice_registry_v1_Release__Output | null);
  /**
   * Ready versions that are placed.
   */
  'placed': (_sluice_registry_v1_RouteVersion__Output)[];
  /**
   * Ready versions that exist and are not placed.
   */
  'unplaced': (string)[];
  'revision': (string);
  /**
   * Versions that are held somewhere and loaded nowhere, because they ended runtimes; they are in `unplaced` too.
   */
  'quarantined': (_sluice_registry_v1_Quarantine__Output)[];
  /**
   * Some ready version, placed or not, keeps sequences. A registry of before this says it of no model: look at `placed` too.
   */
  'keepsSequences': (boolean);
  /**
   * Which evidence is kept of requests while there is no release. A registry of before this sends none: the default holds then.
   */
  'capture': (_sluice_registry_v1_CapturePolicy__Output | null);
}
