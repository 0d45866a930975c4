// Original file: protos/sluice/feedback/v1/predictions.proto

export const StatisticsGrouping = {
  /**
   * By version, arm and role.
   */
  STATISTICS_GROUPING_UNSPECIFIED: 'STATISTICS_GROUPING_UNSPECIFIED',
  /**
   * Arms and roles of a version together, shadows too.
   */
  STATISTICS_GROUPING_VERSION: 'STATISTICS_GROUPING_VERSION',
} as const;

export type StatisticsGrouping =
  /**
   * By version, arm and role.
   */
  | 'STATISTICS_GROUPING_UNSPECIFIED'
  | 0
  /**
   * Arms and roles of a version together, shadows too.
   */
  | 'STATISTICS_GROUPING_VERSION'
  | 1

export type StatisticsGrouping__Output = typeof StatisticsGrouping[keyof typeof StatisticsGrouping]
