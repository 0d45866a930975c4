// Original file: protos/sluice/registry/v1/types.proto

import type { AdmissionCheck as _sluice_registry_v1_AdmissionCheck, AdmissionCheck__Output as _sluice_registry_v1_AdmissionCheck__Output } from '../../../sluice/registry/v1/AdmissionCheck.ts';
import type { Long } from '@grpc/proto-loader';

export interface AdmissionReport {
  'passed'?: (boolean);
  'checks'?: (_sluice_registry_v1_AdmissionCheck)[];
  'durationMs'?: (number | string | Long);
  'peakRssBytes'?: (number | string | Long);
  /**
   * Median milliseconds of one row.
   */
  'latencyMs'?: (number | string);
  /**
   * Median milliseconds of one batch of `batch_rows` rows.
   */
  'batchLatencyMs'?: (number | string);
  'batchRows'?: (number);
  /**
   * What was derived from the graph, a line each.
   */
  'derived'?: (string)[];
  /**
   * How far its process grew from before the graph was loaded to its peak; 0 when that is not known.
   */
  'modelBytes'?: (number | string | Long);
}

export interface AdmissionReport__Output {
  'passed': (boolean);
  'checks': (_sluice_registry_v1_AdmissionCheck__Output)[];
  'durationMs': (string);
  'peakRssBytes': (string);
  /**
   * Median milliseconds of one row.
   */
  'latencyMs': (number);
  /**
   * Median milliseconds of one batch of `batch_rows` rows.
   */
  'batchLatencyMs': (number);
  'batchRows': (number);
  /**
   * What was derived from the graph, a line each.
   */
  'derived': (string)[];
  /**
   * How far its process grew from before the graph was loaded to its peak; 0 when that is not known.
   */
  'modelBytes': (string);
}
