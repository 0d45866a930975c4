// Original file: protos/sluice/feedback/v1/ingest.proto

import type { SpoolHello as _sluice_feedback_v1_SpoolHello, SpoolHello__Output as _sluice_feedback_v1_SpoolHello__Output } from '../../../sluice/feedback/v1/SpoolHello.ts';
import type { EvidenceBlock as _sluice_feedback_v1_EvidenceBlock, EvidenceBlock__Output as _sluice_feedback_v1_EvidenceBlock__Output } from '../../../sluice/feedback/v1/EvidenceBlock.ts';
import type { ErasuresApplied as _sluice_feedback_v1_ErasuresApplied, ErasuresApplied__Output as _sluice_feedback_v1_ErasuresApplied__Output } from '../../../sluice/feedback/v1/ErasuresApplied.ts';

export interface IngestRequest {
  'hello'?: (_sluice_feedback_v1_SpoolHello | null);
  'block'?: (_sluice_feedback_v1_EvidenceBlock | null);
  'erasuresApplied'?: (_sluice_feedback_v1_ErasuresApplied | null);
  'message'?: "hello"|"block"|"erasuresApplied";
}

export interface IngestRequest__Output {
  'hello'?: (_sluice_feedback_v1_SpoolHello__Output | null);
  'block'?: (_sluice_feedback_v1_EvidenceBlock__Output | null);
  'erasuresApplied'?: (_sluice_feedback_v1_ErasuresApplied__Output | null);
  'message'?: "hello"|"block"|"erasuresApplied";
}
