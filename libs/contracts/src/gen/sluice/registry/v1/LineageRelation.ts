// Original file: protos/sluice/registry/v1/lineage.proto

export const LineageRelation = {
  LINEAGE_RELATION_UNSPECIFIED: 'LINEAGE_RELATION_UNSPECIFIED',
  /**
   * A version or a data set, by a run.
   */
  LINEAGE_RELATION_MADE_BY: 'LINEAGE_RELATION_MADE_BY',
  /**
   * A version, on a data set.
   */
  LINEAGE_RELATION_TRAINED_ON: 'LINEAGE_RELATION_TRAINED_ON',
  /**
   * A data set, from a data set.
   */
  LINEAGE_RELATION_DERIVED_FROM: 'LINEAGE_RELATION_DERIVED_FROM',
  /**
   * A run, a data set.
   */
  LINEAGE_RELATION_READ: 'LINEAGE_RELATION_READ',
  /**
   * A release, a version.
   */
  LINEAGE_RELATION_SERVED: 'LINEAGE_RELATION_SERVED',
} as const;

export type LineageRelation =
  | 'LINEAGE_RELATION_UNSPECIFIED'
  | 0
  /**
   * A version or a data set, by a run.
   */
  | 'LINEAGE_RELATION_MADE_BY'
  | 1
  /**
   * A version, on a data set.
   */
  | 'LINEAGE_RELATION_TRAINED_ON'
  | 2
  /**
   * A data set, from a data set.
   */
  | 'LINEAGE_RELATION_DERIVED_FROM'
  | 3
  /**
   * A run, a data set.
   */
  | 'LINEAGE_RELATION_READ'
  | 4
  /**
   * A release, a version.
   */
  | 'LINEAGE_RELATION_SERVED'
  | 5

export type LineageRelation__Output = typeof LineageRelation[keyof typeof LineageRelation]
