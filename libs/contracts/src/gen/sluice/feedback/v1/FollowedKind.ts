// Original file: protos/sluice/feedback/v1/subscribe.proto

export const FollowedKind = {
  FOLLOWED_KIND_UNSPECIFIED: 'FOLLOWED_KIND_UNSPECIFIED',
  FOLLOWED_KIND_EVIDENCE: 'FOLLOWED_KIND_EVIDENCE',
  FOLLOWED_KIND_LABEL: 'FOLLOWED_KIND_LABEL',
  FOLLOWED_KIND_OUTCOME: 'FOLLOWED_KIND_OUTCOME',
} as const;

export type FollowedKind =
  | 'FOLLOWED_KIND_UNSPECIFIED'
  | 0
  | 'FOLLOWED_KIND_EVIDENCE'
  | 1
  | 'FOLLOWED_KIND_LABEL'
  | 2
  | 'FOLLOWED_KIND_OUTCOME'
  | 3

export type FollowedKind__Output = typeof FollowedKind[keyof typeof FollowedKind]
