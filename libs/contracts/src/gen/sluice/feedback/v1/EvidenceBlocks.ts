// Original file: protos/sluice/feedback/v1/ingest.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Several blocks in one message: where they are small, messages cost more than they do.
 */
export interface EvidenceBlocks {
  /**
   * Of the first one.
   */
  'position'?: (number | string | Long);
  /**
   * One after the other, each behind two numbers of four octets, the least significant first: how far its position lies behind that of
   * the first one, and its length.
   */
  'blocks'?: (Buffer | Uint8Array | string);
}

/**
 * Several blocks in one message: where they are small, messages cost more than they do.
 */
export interface EvidenceBlocks__Output {
  /**
   * Of the first one.
   */
  'position': (string);
  /**
   * One after the other, each behind two numbers of four octets, the least significant first: how far its position lies behind that of
   * the first one, and its length.
   */
  'blocks': (Buffer);
}
