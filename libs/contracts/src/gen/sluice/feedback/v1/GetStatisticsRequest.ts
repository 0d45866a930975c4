// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { StatisticsBucket as _sluice_feedback_v1_StatisticsBucket, StatisticsBucket__Output as _sluice_feedback_v1_StatisticsBucket__Output } from '../../../sluice/feedback/v1/StatisticsBucket.ts';
import type { StatisticsGrouping as _sluice_feedback_v1_StatisticsGrouping, StatisticsGrouping__Output as _sluice_feedback_v1_StatisticsGrouping__Output } from '../../../sluice/feedback/v1/StatisticsGrouping.ts';
import type { LabelPolicy as _sluice_feedback_v1_LabelPolicy, LabelPolicy__Output as _sluice_feedback_v1_LabelPolicy__Output } from '../../../sluice/feedback/v1/LabelPolicy.ts';
import type { Long } from '@grpc/proto-loader';

export interface GetStatisticsRequest {
  'model'?: (string);
  /**
   * Empty means all.
   */
  'versions'?: (number | string | Long)[];
  /**
   * Not given means all.
   */
  'arm'?: (string);
  /**
   * The time of a prediction is that of its id. Not given: the last 24 hours.
   */
  'from'?: (_google_protobuf_Timestamp | null);
  'to'?: (_google_protobuf_Timestamp | null);
  'bucket'?: (_sluice_feedback_v1_StatisticsBucket);
  'grouping'?: (_sluice_feedback_v1_StatisticsGrouping);
  /**
   * Compares versions at equal label age: only labels that were at most so many seconds older than their prediction count, and only
   * predictions that are at least as old. 0: all labels.
   */
  'labelAgeSeconds'?: (number | string | Long);
  /**
   * Not given is what the model says.
   */
  'labelPolicy'?: (_sluice_feedback_v1_LabelPolicy | null);
  /**
   * The class of precision and recall; empty is that of each version, or all classes where it names none.
   */
  'positiveClass'?: (string);
  '_arm'?: "arm";
}

export interface GetStatisticsRequest__Output {
  'model': (string);
  /**
   * Empty means all.
   */
  'versions': (string)[];
  /**
   * Not given means all.
   */
  'arm'?: (string);
  /**
   * The time of a prediction is that of its id. Not given: the last 24 hours.
   */
  'from': (_google_protobuf_Timestamp__Output | null);
  'to': (_google_protobuf_Timestamp__Output | null);
  'bucket': (_sluice_feedback_v1_StatisticsBucket__Output);
  'grouping': (_sluice_feedback_v1_StatisticsGrouping__Output);
  /**
   * Compares versions at equal label age: only labels that were at most so many seconds older than their prediction count, and only
   * predictions that are at least as old. 0: all labels.
   */
  'labelAgeSeconds': (string);
  /**
   * Not given is what the model says.
   */
  'labelPolicy': (_sluice_feedback_v1_LabelPolicy__Output | null);
  /**
   * The class of precision and recall; empty is that of each version, or all classes where it names none.
   */
  'positiveClass': (string);
  '_arm'?: "arm";
}
