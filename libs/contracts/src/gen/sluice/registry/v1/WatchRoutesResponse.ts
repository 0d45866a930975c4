// Original file: protos/sluice/registry/v1/watch.proto

import type { ModelRoute as _sluice_registry_v1_ModelRoute, ModelRoute__Output as _sluice_registry_v1_ModelRoute__Output } from '../../../sluice/registry/v1/ModelRoute.ts';
import type { RuntimeSet as _sluice_registry_v1_RuntimeSet, RuntimeSet__Output as _sluice_registry_v1_RuntimeSet__Output } from '../../../sluice/registry/v1/RuntimeSet.ts';
import type { Long } from '@grpc/proto-loader';

export interface WatchRoutesResponse {
  'resumeToken'?: (number | string | Long);
  /**
   * True: replace everything. False: replace the models that are named, and drop those in `removed`.
   */
  'snapshot'?: (boolean);
  'models'?: (_sluice_registry_v1_ModelRoute)[];
  'removed'?: (string)[];
  /**
   * Set when the set of runtimes or what they offer changed, independent of the token; replaces the whole set. Of each its pool
   * and devices tell which versions it is for; what it has loaded, routers hear from itself.
   */
  'runtimes'?: (_sluice_registry_v1_RuntimeSet | null);
  'protocolVersion'?: (number);
  /**
   * True: the next message belongs to this update. Apply all of them at once, when one comes without it.
   */
  'more'?: (boolean);
}

export interface WatchRoutesResponse__Output {
  'resumeToken': (string);
  /**
   * True: replace everything. False: replace the models that are named, and drop those in `removed`.
   */
  'snapshot': (boolean);
  'models': (_sluice_registry_v1_ModelRoute__Output)[];
  'removed': (string)[];
  /**
   * Set when the set of runtimes or what they offer changed, independent of the token; replaces the whole set. Of each its pool
   * and devices tell which versions it is for; what it has loaded, routers hear from itself.
   */
  'runtimes': (_sluice_registry_v1_RuntimeSet__Output | null);
  'protocolVersion': (number);
  /**
   * True: the next message belongs to this update. Apply all of them at once, when one comes without it.
   */
  'more': (boolean);
}
