// Original file: protos/sluice/registry/v1/types.proto

export const ReleaseMode = {
  RELEASE_MODE_UNSPECIFIED: 'RELEASE_MODE_UNSPECIFIED',
  RELEASE_MODE_FIXED: 'RELEASE_MODE_FIXED',
  RELEASE_MODE_AB: 'RELEASE_MODE_AB',
  RELEASE_MODE_CANARY: 'RELEASE_MODE_CANARY',
  RELEASE_MODE_SHADOW: 'RELEASE_MODE_SHADOW',
  RELEASE_MODE_BANDIT: 'RELEASE_MODE_BANDIT',
} as const;

export type ReleaseMode =
  | 'RELEASE_MODE_UNSPECIFIED'
  | 0
  | 'RELEASE_MODE_FIXED'
  | 1
  | 'RELEASE_MODE_AB'
  | 2
  | 'RELEASE_MODE_CANARY'
  | 3
  | 'RELEASE_MODE_SHADOW'
  | 4
  | 'RELEASE_MODE_BANDIT'
  | 5

export type ReleaseMode__Output = typeof ReleaseMode[keyof typeof ReleaseMode]
