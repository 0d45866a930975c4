// Original file: protos/sluice/feedback/v1/ingest.proto

import type { SpoolHello as _sluice_feedback_v1_SpoolHello, SpoolHello__Output as _sluice_feedback_v1_SpoolHello__Output } from '../../../sluice/feedback/v1/SpoolHello.ts';
import type { EvidenceBlock as _sluice_feedback_v1_EvidenceBlock, EvidenceBlock__Output as _sluice_feedback_v1_EvidenceBlock__Output } from '../../../sluice/feedback/v1/EvidenceBlock.ts';
import type { ErasuresApplied as _sluice_feedback_v1_ErasuresApplied, ErasuresApplied__Output as _sluice_feedback_v1_ErasuresApplied__Output } from '../../../sluice/feedback/v1/ErasuresApplied.ts';
import type { EvidenceBlocks as _sluice_feedback_v1_EvidenceBlocks, EvidenceBlocks__Output as _sluice_feedback_v1_EvidenceBlocks__Output } from '../../../sluice/feedback/v1/EvidenceBlocks.ts';

export interface IngestRequest {
  'hello'?: (_sluice_feedback_v1_SpoolHello | null);
  'block'?: (_sluice_feedback_v1_EvidenceBlock | null);
  'erasuresApplied'?: (_sluice_feedback_v1_ErasuresApplied | null);
  /**
   * From version 2 of the protocol on.
   */
  'blocks'?: (_sluice_feedback_v1_EvidenceBlocks | null);
  'message'?: "hello"|"block"|"erasuresApplied"|"blocks";
}

export interface IngestRequest__Output {
  'hello'?: (_sluice_feedback_v1_SpoolHello__Output | null);
  'block'?: (_sluice_feedback_v1_EvidenceBlock__Output | null);
  'erasuresApplied'?: (_sluice_feedback_v1_ErasuresApplied__Output | null);
  /**
   * From version 2 of the protocol on.
   */
  'blocks'?: (_sluice_feedback_v1_EvidenceBlocks__Output | null);
  'message'?: "hello"|"block"|"erasuresApplied"|"blocks";
}
