// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { WeightedCount as _sluice_feedback_v1_WeightedCount, WeightedCount__Output as _sluice_feedback_v1_WeightedCount__Output } from '../../../sluice/feedback/v1/WeightedCount.ts';
import type { StatusCount as _sluice_feedback_v1_StatusCount, StatusCount__Output as _sluice_feedback_v1_StatusCount__Output } from '../../../sluice/feedback/v1/StatusCount.ts';
import type { LatencyQuantiles as _sluice_feedback_v1_LatencyQuantiles, LatencyQuantiles__Output as _sluice_feedback_v1_LatencyQuantiles__Output } from '../../../sluice/feedback/v1/LatencyQuantiles.ts';
import type { CostStatistics as _sluice_feedback_v1_CostStatistics, CostStatistics__Output as _sluice_feedback_v1_CostStatistics__Output } from '../../../sluice/feedback/v1/CostStatistics.ts';
import type { LabelStatistics as _sluice_feedback_v1_LabelStatistics, LabelStatistics__Output as _sluice_feedback_v1_LabelStatistics__Output } from '../../../sluice/feedback/v1/LabelStatistics.ts';
import type { QualityStatistics as _sluice_feedback_v1_QualityStatistics, QualityStatistics__Output as _sluice_feedback_v1_QualityStatistics__Output } from '../../../sluice/feedback/v1/QualityStatistics.ts';
import type { Long } from '@grpc/proto-loader';

export interface StatisticsGroup {
  /**
   * Not set without buckets.
   */
  'bucketAt'?: (_google_protobuf_Timestamp | null);
  'version'?: (number | string | Long);
  /**
   * These two are empty when grouped by version.
   */
  'arm'?: (string);
  'role'?: (string);
  /**
   * All attempts.
   */
  'attempts'?: (_sluice_feedback_v1_WeightedCount | null);
  /**
   * Those whose answer a caller got.
   */
  'answered'?: (_sluice_feedback_v1_WeightedCount | null);
  /**
   * By status, OK too.
   */
  'statuses'?: (_sluice_feedback_v1_StatusCount)[];
  /**
   * Of attempts with status OK; not set where there are none.
   */
  'latency'?: (_sluice_feedback_v1_LatencyQuantiles | null);
  'cost'?: (_sluice_feedback_v1_CostStatistics | null);
  /**
   * Rows of attempts with status OK, estimated; a record whose rows nobody counted has one.
   */
  'rows'?: (number | string);
  'labels'?: (_sluice_feedback_v1_LabelStatistics | null);
  'quality'?: (_sluice_feedback_v1_QualityStatistics | null);
}

export interface StatisticsGroup__Output {
  /**
   * Not set without buckets.
   */
  'bucketAt': (_google_protobuf_Timestamp__Output | null);
  'version': (string);
  /**
   * These two are empty when grouped by version.
   */
  'arm': (string);
  'role': (string);
  /**
   * All attempts.
   */
  'attempts': (_sluice_feedback_v1_WeightedCount__Output | null);
  /**
   * Those whose answer a caller got.
   */
  'answered': (_sluice_feedback_v1_WeightedCount__Output | null);
  /**
   * By status, OK too.
   */
  'statuses': (_sluice_feedback_v1_StatusCount__Output)[];
  /**
   * Of attempts with status OK; not set where there are none.
   */
  'latency': (_sluice_feedback_v1_LatencyQuantiles__Output | null);
  'cost': (_sluice_feedback_v1_CostStatistics__Output | null);
  /**
   * Rows of attempts with status OK, estimated; a record whose rows nobody counted has one.
   */
  'rows': (number);
  'labels': (_sluice_feedback_v1_LabelStatistics__Output | null);
  'quality': (_sluice_feedback_v1_QualityStatistics__Output | null);
}
