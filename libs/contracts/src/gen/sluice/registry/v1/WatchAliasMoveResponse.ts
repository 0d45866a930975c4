// Original file: protos/sluice/registry/v1/registry.proto

import type { AliasMove as _sluice_registry_v1_AliasMove, AliasMove__Output as _sluice_registry_v1_AliasMove__Output } from '../../../sluice/registry/v1/AliasMove.ts';
import type { RouterProgress as _sluice_registry_v1_RouterProgress, RouterProgress__Output as _sluice_registry_v1_RouterProgress__Output } from '../../../sluice/registry/v1/RouterProgress.ts';

export interface WatchAliasMoveResponse {
  'move'?: (_sluice_registry_v1_AliasMove | null);
  /**
   * Once the move is in effect: routers with a live lease, and whether each has applied it.
   */
  'routers'?: (_sluice_registry_v1_RouterProgress)[];
  /**
   * True in the last message.
   */
  'done'?: (boolean);
}

export interface WatchAliasMoveResponse__Output {
  'move': (_sluice_registry_v1_AliasMove__Output | null);
  /**
   * Once the move is in effect: routers with a live lease, and whether each has applied it.
   */
  'routers': (_sluice_registry_v1_RouterProgress__Output)[];
  /**
   * True in the last message.
   */
  'done': (boolean);
}
