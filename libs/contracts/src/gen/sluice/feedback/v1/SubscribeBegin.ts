// Original file: protos/sluice/feedback/v1/subscribe.proto

export const SubscribeBegin = {
  SUBSCRIBE_BEGIN_UNSPECIFIED: 'SUBSCRIBE_BEGIN_UNSPECIFIED',
  /**
   * With the oldest row that is kept.
   */
  SUBSCRIBE_BEGIN_OLDEST: 'SUBSCRIBE_BEGIN_OLDEST',
  /**
   * With what is committed from now on.
   */
  SUBSCRIBE_BEGIN_NOW: 'SUBSCRIBE_BEGIN_NOW',
} as const;

export type SubscribeBegin =
  | 'SUBSCRIBE_BEGIN_UNSPECIFIED'
  | 0
  /**
   * With the oldest row that is kept.
   */
  | 'SUBSCRIBE_BEGIN_OLDEST'
  | 1
  /**
   * With what is committed from now on.
   */
  | 'SUBSCRIBE_BEGIN_NOW'
  | 2

export type SubscribeBegin__Output = typeof SubscribeBegin[keyof typeof SubscribeBegin]
