// Original file: protos/sluice/feedback/v1/export.proto

import type { ExportProgress as _sluice_feedback_v1_ExportProgress, ExportProgress__Output as _sluice_feedback_v1_ExportProgress__Output } from '../../../sluice/feedback/v1/ExportProgress.ts';
import type { ExportManifest as _sluice_feedback_v1_ExportManifest, ExportManifest__Output as _sluice_feedback_v1_ExportManifest__Output } from '../../../sluice/feedback/v1/ExportManifest.ts';

export interface ExportResponse {
  /**
   * The next bytes of the file: at most 64 KiB, empty where there is progress alone.
   */
  'chunk'?: (Buffer | Uint8Array | string);
  'progress'?: (_sluice_feedback_v1_ExportProgress | null);
  /**
   * Only in the last message.
   */
  'manifest'?: (_sluice_feedback_v1_ExportManifest | null);
}

export interface ExportResponse__Output {
  /**
   * The next bytes of the file: at most 64 KiB, empty where there is progress alone.
   */
  'chunk': (Buffer);
  'progress': (_sluice_feedback_v1_ExportProgress__Output | null);
  /**
   * Only in the last message.
   */
  'manifest': (_sluice_feedback_v1_ExportManifest__Output | null);
}
