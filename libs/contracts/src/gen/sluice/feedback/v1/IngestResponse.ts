// Original file: protos/sluice/feedback/v1/ingest.proto

import type { Long } from '@grpc/proto-loader';

export interface IngestResponse {
  /**
   * All blocks of the stream up to this position are stored. The first answer, to the hello, has 0.
   */
  'acknowledged'?: (number | string | Long);
  'protocolVersion'?: (number);
  /**
   * How many bytes of blocks the caller may have sent and not yet acknowledged.
   */
  'windowBytes'?: (number | string | Long);
}

export interface IngestResponse__Output {
  /**
   * All blocks of the stream up to this position are stored. The first answer, to the hello, has 0.
   */
  'acknowledged': (string);
  'protocolVersion': (number);
  /**
   * How many bytes of blocks the caller may have sent and not yet acknowledged.
   */
  'windowBytes': (string);
}
