// Original file: protos/sluice/feedback/v1/ingest.proto

import type { Long } from '@grpc/proto-loader';

export interface EvidenceBlock {
  /**
   * Where it lies in its spool; higher than that of the block before.
   */
  'position'?: (number | string | Long);
  /**
   * Records, in the layout of libs/evidence.
   */
  'block'?: (Buffer | Uint8Array | string);
}

export interface EvidenceBlock__Output {
  /**
   * Where it lies in its spool; higher than that of the block before.
   */
  'position': (string);
  /**
   * Records, in the layout of libs/evidence.
   */
  'block': (Buffer);
}
