// Original file: protos/sluice/registry/v1/types.proto

export const ArmRole = {
  ARM_ROLE_UNSPECIFIED: 'ARM_ROLE_UNSPECIFIED',
  ARM_ROLE_PRIMARY: 'ARM_ROLE_PRIMARY',
  ARM_ROLE_CANDIDATE: 'ARM_ROLE_CANDIDATE',
  ARM_ROLE_SHADOW: 'ARM_ROLE_SHADOW',
} as const;

export type ArmRole =
  | 'ARM_ROLE_UNSPECIFIED'
  | 0
  | 'ARM_ROLE_PRIMARY'
  | 1
  | 'ARM_ROLE_CANDIDATE'
  | 2
  | 'ARM_ROLE_SHADOW'
  | 3

export type ArmRole__Output = typeof ArmRole[keyof typeof ArmRole]
