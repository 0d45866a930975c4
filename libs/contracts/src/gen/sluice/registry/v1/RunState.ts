// Original file: protos/sluice/registry/v1/runs.proto

export const RunState = {
  RUN_STATE_UNSPECIFIED: 'RUN_STATE_UNSPECIFIED',
  RUN_STATE_RUNNING: 'RUN_STATE_RUNNING',
  RUN_STATE_SUCCEEDED: 'RUN_STATE_SUCCEEDED',
  RUN_STATE_FAILED: 'RUN_STATE_FAILED',
} as const;

export type RunState =
  | 'RUN_STATE_UNSPECIFIED'
  | 0
  | 'RUN_STATE_RUNNING'
  | 1
  | 'RUN_STATE_SUCCEEDED'
  | 2
  | 'RUN_STATE_FAILED'
  | 3

export type RunState__Output = typeof RunState[keyof typeof RunState]
