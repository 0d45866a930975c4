// Original file: protos/sluice/registry/v1/watch.proto

import type { Long } from '@grpc/proto-loader';

export interface WatchRoutesRequest {
  'routerId'?: (string);
  /**
   * The revision of the state that the caller has; 0 asks for a snapshot.
   */
  'resumeToken'?: (number | string | Long);
  /**
   * Version of this protocol that the caller speaks; N works with N+1.
   */
  'protocolVersion'?: (number);
}

export interface WatchRoutesRequest__Output {
  'routerId': (string);
  /**
   * The revision of the state that the caller has; 0 asks for a snapshot.
   */
  'resumeToken': (string);
  /**
   * Version of this protocol that the caller speaks; N works with N+1.
   */
  'protocolVersion': (number);
}
