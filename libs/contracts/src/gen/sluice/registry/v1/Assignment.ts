// Original file: protos/sluice/registry/v1/watch.proto

import type { VersionFile as _sluice_registry_v1_VersionFile, VersionFile__Output as _sluice_registry_v1_VersionFile__Output } from '../../../sluice/registry/v1/VersionFile.ts';
import type { Signature as _sluice_registry_v1_Signature, Signature__Output as _sluice_registry_v1_Signature__Output } from '../../../sluice/registry/v1/Signature.ts';
import type { ServingConfig as _sluice_registry_v1_ServingConfig, ServingConfig__Output as _sluice_registry_v1_ServingConfig__Output } from '../../../sluice/registry/v1/ServingConfig.ts';
import type { Long } from '@grpc/proto-loader';

export interface Assignment {
  'model'?: (string);
  'version'?: (number | string | Long);
  'digest'?: (string);
  'files'?: (_sluice_registry_v1_VersionFile)[];
  'graphPath'?: (string);
  'signature'?: (_sluice_registry_v1_Signature | null);
  'serving'?: (_sluice_registry_v1_ServingConfig | null);
  /**
   * Why it is placed: aliases, requested moves, releases.
   */
  'heldBy'?: (string)[];
  /**
   * True when `champion` points here.
   */
  'champion'?: (boolean);
  /**
   * True when nothing but a pin holds it.
   */
  'pinnedOnly'?: (boolean);
  'aliases'?: (string)[];
  /**
   * What its admission found one session of it to take, at its peak; 0 when that is not known.
   */
  'memoryBytes'?: (number | string | Long);
}

export interface Assignment__Output {
  'model': (string);
  'version': (string);
  'digest': (string);
  'files': (_sluice_registry_v1_VersionFile__Output)[];
  'graphPath': (string);
  'signature': (_sluice_registry_v1_Signature__Output | null);
  'serving': (_sluice_registry_v1_ServingConfig__Output | null);
  /**
   * Why it is placed: aliases, requested moves, releases.
   */
  'heldBy': (string)[];
  /**
   * True when `champion` points here.
   */
  'champion': (boolean);
  /**
   * True when nothing but a pin holds it.
   */
  'pinnedOnly': (boolean);
  'aliases': (string)[];
  /**
   * What its admission found one session of it to take, at its peak; 0 when that is not known.
   */
  'memoryBytes': (string);
}
