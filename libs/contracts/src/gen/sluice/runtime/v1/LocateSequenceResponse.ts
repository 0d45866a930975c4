// Original file: protos/sluice/runtime/v1/runtime.proto

import type { Long } from '@grpc/proto-loader';

export interface LocateSequenceResponse {
  /**
   * A sequence with this id was started there and has neither ended nor idled out.
   */
  'known'?: (boolean);
  /**
   * The version that it lives on; 0 unless known.
   */
  'version'?: (number | string | Long);
}

export interface LocateSequenceResponse__Output {
  /**
   * A sequence with this id was started there and has neither ended nor idled out.
   */
  'known': (boolean);
  /**
   * The version that it lives on; 0 unless known.
   */
  'version': (string);
}
