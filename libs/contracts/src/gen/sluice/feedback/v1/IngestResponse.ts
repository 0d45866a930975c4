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
  /**
   * Number of the newest order to erase a subject; 0 when there is none. A router that has not followed it drains what its spool has,
   * deletes it, and says so by `erasures_applied`.
   */
  'erasures'?: (number | string | Long);
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
  /**
   * Number of the newest order to erase a subject; 0 when there is none. A router that has not followed it drains what its spool has,
   * deletes it, and says so by `erasures_applied`.
   */
  'erasures': (string);
}
