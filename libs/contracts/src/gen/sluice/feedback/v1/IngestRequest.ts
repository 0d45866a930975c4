// Original file: protos/sluice/feedback/v1/ingest.proto

import type { SpoolHello as _sluice_feedback_v1_SpoolHello, SpoolHello__Output as _sluice_feedback_v1_SpoolHello__Output } from '../../../sluice/feedback/v1/SpoolHello.ts';
import type { EvidenceBlock as _sluice_feedback_v1_EvidenceBlock, EvidenceBlock__Output as _sluice_feedback_v1_EvidenceBlock__Output } from '../../../sluice/feedback/v1/EvidenceBlock.ts';

export interface IngestRequest {
  'hello'?: (_sluice_feedback_v1_SpoolHello | null);
  'block'?: (_sluice_feedback_v1_EvidenceBlock | null);
  'message'?: "hello"|"block";
}

export interface IngestRequest__Output {
  'hello'?: (_sluice_feedback_v1_SpoolHello__Output | null);
  'block'?: (_sluice_feedback_v1_EvidenceBlock__Output | null);
  'message'?: "hello"|"block";
}
