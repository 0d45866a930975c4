// Original file: protos/sluice/registry/v1/registry.proto

import type { AliasHistoryEntry as _sluice_registry_v1_AliasHistoryEntry, AliasHistoryEntry__Output as _sluice_registry_v1_AliasHistoryEntry__Output } from '../../../sluice/registry/v1/AliasHistoryEntry.ts';
import type { AliasMove as _sluice_registry_v1_AliasMove, AliasMove__Output as _sluice_registry_v1_AliasMove__Output } from '../../../sluice/registry/v1/AliasMove.ts';

/**
 * The first page has the newest, each following one what came before.
 */
export interface GetAliasHistoryResponse {
  /**
   * Oldest first.
   */
  'entries'?: (_sluice_registry_v1_AliasHistoryEntry)[];
  /**
   * Newest first.
   */
  'moves'?: (_sluice_registry_v1_AliasMove)[];
  /**
   * Empty when nothing is older.
   */
  'nextPageToken'?: (string);
}

/**
 * The first page has the newest, each following one what came before.
 */
export interface GetAliasHistoryResponse__Output {
  /**
   * Oldest first.
   */
  'entries': (_sluice_registry_v1_AliasHistoryEntry__Output)[];
  /**
   * Newest first.
   */
  'moves': (_sluice_registry_v1_AliasMove__Output)[];
  /**
   * Empty when nothing is older.
   */
  'nextPageToken': (string);
}
