// Original file: protos/sluice/feedback/v1/export.proto

import type { ExportColumn as _sluice_feedback_v1_ExportColumn, ExportColumn__Output as _sluice_feedback_v1_ExportColumn__Output } from '../../../sluice/feedback/v1/ExportColumn.ts';
import type { Long } from '@grpc/proto-loader';

export interface ExportManifest {
  /**
   * What the file is, as JSON: query, horizon, counts, versions, columns, digest, and keyed hashes of subjects.
   */
  'manifestJson'?: (string);
  /**
   * SHA-256 of the file in hex.
   */
  'digest'?: (string);
  'rows'?: (number | string | Long);
  'bytes'?: (number | string | Long);
  'columns'?: (_sluice_feedback_v1_ExportColumn)[];
}

export interface ExportManifest__Output {
  /**
   * What the file is, as JSON: query, horizon, counts, versions, columns, digest, and keyed hashes of subjects.
   */
  'manifestJson': (string);
  /**
   * SHA-256 of the file in hex.
   */
  'digest': (string);
  'rows': (string);
  'bytes': (string);
  'columns': (_sluice_feedback_v1_ExportColumn__Output)[];
}
