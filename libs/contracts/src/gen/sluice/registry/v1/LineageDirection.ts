// Original file: protos/sluice/registry/v1/lineage.proto

export const LineageDirection = {
  LINEAGE_DIRECTION_UNSPECIFIED: 'LINEAGE_DIRECTION_UNSPECIFIED',
  /**
   * To runs, data sets and their parents.
   */
  LINEAGE_DIRECTION_UP: 'LINEAGE_DIRECTION_UP',
  /**
   * To derived data sets, runs, versions and releases.
   */
  LINEAGE_DIRECTION_DOWN: 'LINEAGE_DIRECTION_DOWN',
} as const;

export type LineageDirection =
  | 'LINEAGE_DIRECTION_UNSPECIFIED'
  | 0
  /**
   * To runs, data sets and their parents.
   */
  | 'LINEAGE_DIRECTION_UP'
  | 1
  /**
   * To derived data sets, runs, versions and releases.
   */
  | 'LINEAGE_DIRECTION_DOWN'
  | 2

export type LineageDirection__Output = typeof LineageDirection[keyof typeof LineageDirection]
