// Original file: protos/sluice/admin/v1/admin.proto

import type { Long } from '@grpc/proto-loader';

export interface GetStateResponse {
  'service'?: (string);
  'instanceId'?: (string);
  'version'?: (string);
  'nodeVersion'?: (string);
  'uptimeMs'?: (number | string | Long);
  /**
   * The configuration that is in force, as JSON; secrets read "[hidden]".
   */
  'configJson'?: (string);
  /**
   * What the service holds in memory now, as JSON; its README describes the fields.
   */
  'stateJson'?: (string);
}

export interface GetStateResponse__Output {
  'service': (string);
  'instanceId': (string);
  'version': (string);
  'nodeVersion': (string);
  'uptimeMs': (string);
  /**
   * The configuration that is in force, as JSON; secrets read "[hidden]".
   */
  'configJson': (string);
  /**
   * What the service holds in memory now, as JSON; its README describes the fields.
   */
  'stateJson': (string);
}
