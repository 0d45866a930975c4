// Original file: protos/sluice/registry/v1/lineage.proto

import type { LineageNode as _sluice_registry_v1_LineageNode, LineageNode__Output as _sluice_registry_v1_LineageNode__Output } from '../../../sluice/registry/v1/LineageNode.ts';
import type { LineageEdge as _sluice_registry_v1_LineageEdge, LineageEdge__Output as _sluice_registry_v1_LineageEdge__Output } from '../../../sluice/registry/v1/LineageEdge.ts';

export interface GetLineageResponse {
  /**
   * The first is where it begins; the others by their distance from it.
   */
  'nodes'?: (_sluice_registry_v1_LineageNode)[];
  /**
   * Every relation between these nodes that was found.
   */
  'edges'?: (_sluice_registry_v1_LineageEdge)[];
  /**
   * There is more, beyond the bounds.
   */
  'more'?: (boolean);
}

export interface GetLineageResponse__Output {
  /**
   * The first is where it begins; the others by their distance from it.
   */
  'nodes': (_sluice_registry_v1_LineageNode__Output)[];
  /**
   * Every relation between these nodes that was found.
   */
  'edges': (_sluice_registry_v1_LineageEdge__Output)[];
  /**
   * There is more, beyond the bounds.
   */
  'more': (boolean);
}
