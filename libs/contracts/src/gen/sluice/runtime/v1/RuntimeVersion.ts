// Original file: protos/sluice/runtime/v1/runtime.proto

import type { Long } from '@grpc/proto-loader';

export interface RuntimeVersion {
  'model'?: (string);
  'version'?: (number | string | Long);
  /**
   * Ready to take requests.
   */
  'ready'?: (boolean);
  'reason'?: (string);
  /**
   * Not ready, and a request waits for it here: the first one makes the runtime load it.
   */
  'onDemand'?: (boolean);
}

export interface RuntimeVersion__Output {
  'model': (string);
  'version': (string);
  /**
   * Ready to take requests.
   */
  'ready': (boolean);
  'reason': (string);
  /**
   * Not ready, and a request waits for it here: the first one makes the runtime load it.
   */
  'onDemand': (boolean);
}
