// Original file: protos/sluice/registry/v1/lineage.proto

import type { LineageRelation as _sluice_registry_v1_LineageRelation, LineageRelation__Output as _sluice_registry_v1_LineageRelation__Output } from '../../../sluice/registry/v1/LineageRelation.ts';

/**
 * Reads as a sentence whatever the direction: `child` was made by, trained on, derived from, read or served `parent`.
 */
export interface LineageEdge {
  /**
   * Indexes of `nodes`.
   */
  'child'?: (number);
  'parent'?: (number);
  'relation'?: (_sluice_registry_v1_LineageRelation);
}

/**
 * Reads as a sentence whatever the direction: `child` was made by, trained on, derived from, read or served `parent`.
 */
export interface LineageEdge__Output {
  /**
   * Indexes of `nodes`.
   */
  'child': (number);
  'parent': (number);
  'relation': (_sluice_registry_v1_LineageRelation__Output);
}
