// Original file: protos/sluice/feedback/v1/export.proto

import type { Long } from '@grpc/proto-loader';

export interface ExportProgress {
  /**
   * Rows that are done, and bytes of the file with this chunk.
   */
  'rows'?: (number | string | Long);
  'bytes'?: (number | string | Long);
  /**
   * Rows of the records that were counted at first: those that the label state leaves out are among them.
   */
  'rowsExpected'?: (number | string | Long);
}

export interface ExportProgress__Output {
  /**
   * Rows that are done, and bytes of the file with this chunk.
   */
  'rows': (string);
  'bytes': (string);
  /**
   * Rows of the records that were counted at first: those that the label state leaves out are among them.
   */
  'rowsExpected': (string);
}
