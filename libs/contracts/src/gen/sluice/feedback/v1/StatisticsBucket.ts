// Original file: protos/sluice/feedback/v1/predictions.proto

export const StatisticsBucket = {
  /**
   * One for the whole range, which has 31 days at most.
   */
  STATISTICS_BUCKET_UNSPECIFIED: 'STATISTICS_BUCKET_UNSPECIFIED',
  /**
   * UTC; a range of 31 days at most.
   */
  STATISTICS_BUCKET_HOUR: 'STATISTICS_BUCKET_HOUR',
  /**
   * UTC; a range of 366 days at most.
   */
  STATISTICS_BUCKET_DAY: 'STATISTICS_BUCKET_DAY',
} as const;

export type StatisticsBucket =
  /**
   * One for the whole range, which has 31 days at most.
   */
  | 'STATISTICS_BUCKET_UNSPECIFIED'
  | 0
  /**
   * UTC; a range of 31 days at most.
   */
  | 'STATISTICS_BUCKET_HOUR'
  | 1
  /**
   * UTC; a range of 366 days at most.
   */
  | 'STATISTICS_BUCKET_DAY'
  | 2

export type StatisticsBucket__Output = typeof StatisticsBucket[keyof typeof StatisticsBucket]
