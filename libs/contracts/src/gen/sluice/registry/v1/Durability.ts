// Original file: protos/sluice/registry/v1/types.proto

export const Durability = {
  DURABILITY_UNSPECIFIED: 'DURABILITY_UNSPECIFIED',
  DURABILITY_BEST_EFFORT: 'DURABILITY_BEST_EFFORT',
  DURABILITY_DURABLE: 'DURABILITY_DURABLE',
} as const;

export type Durability =
  | 'DURABILITY_UNSPECIFIED'
  | 0
  | 'DURABILITY_BEST_EFFORT'
  | 1
  | 'DURABILITY_DURABLE'
  | 2

export type Durability__Output = typeof Durability[keyof typeof Durability]
