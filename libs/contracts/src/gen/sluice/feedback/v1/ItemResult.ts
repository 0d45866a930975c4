// Original file: protos/sluice/feedback/v1/labels.proto

export const ItemResult = {
  ITEM_RESULT_UNSPECIFIED: 'ITEM_RESULT_UNSPECIFIED',
  /**
   * Stored with its prediction.
   */
  ITEM_RESULT_JOINED: 'ITEM_RESULT_JOINED',
  /**
   * Kept until its prediction comes, and joined then by itself.
   */
  ITEM_RESULT_WAITING: 'ITEM_RESULT_WAITING',
  /**
   * The same item was recorded before.
   */
  ITEM_RESULT_DUPLICATE: 'ITEM_RESULT_DUPLICATE',
  /**
   * Not stored; `status` and `reason` say why.
   */
  ITEM_RESULT_REFUSED: 'ITEM_RESULT_REFUSED',
} as const;

export type ItemResult =
  | 'ITEM_RESULT_UNSPECIFIED'
  | 0
  /**
   * Stored with its prediction.
   */
  | 'ITEM_RESULT_JOINED'
  | 1
  /**
   * Kept until its prediction comes, and joined then by itself.
   */
  | 'ITEM_RESULT_WAITING'
  | 2
  /**
   * The same item was recorded before.
   */
  | 'ITEM_RESULT_DUPLICATE'
  | 3
  /**
   * Not stored; `status` and `reason` say why.
   */
  | 'ITEM_RESULT_REFUSED'
  | 4

export type ItemResult__Output = typeof ItemResult[keyof typeof ItemResult]
