// Original file: protos/sluice/registry/v1/watch.proto


export interface ReportStrikeResponse {
  /**
   * The version is quarantined for what it did in the pool, by this strike or before.
   */
  'quarantined'?: (boolean);
  /**
   * Strikes of the version in the pool that count now.
   */
  'strikes'?: (number);
}

export interface ReportStrikeResponse__Output {
  /**
   * The version is quarantined for what it did in the pool, by this strike or before.
   */
  'quarantined': (boolean);
  /**
   * Strikes of the version in the pool that count now.
   */
  'strikes': (number);
}
