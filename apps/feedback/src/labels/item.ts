import type { ErrorKind } from '@sluice/domain/errors';

/** What is true, or would have been, of one row: a class or a number. */
export type Truth = { readonly name: string } | { readonly number: number };

export const isName = (truth: Truth): truth is { readonly name: string } => 'name' in truth;

export const itemKinds = ['label', 'rating', 'correction', 'reward', 'text', 'json'] as const;
export type ItemKind = (typeof itemKinds)[number];

/** `row` of an item that is about a prediction as a whole. */
export const wholePrediction = -1;

/** A label, or what somebody said of a prediction, after all checks that need nothing but itself. */
export interface Item {
  readonly kind: ItemKind;
  /** In lower case; '' where it is named by model and request id. */
  readonly predictionId: string;
  /** Both '' where it is named by its id. The request id is as evidence has it: see `requestIdAsStored`. */
  readonly model: string;
  readonly requestId: string;
  readonly source: string;
  readonly actor: string;
  /** When the truth was found or the feedback given, in microseconds since the epoch; undefined where nobody said. */
  readonly atMicros: number | undefined;
  /** From 0, or `wholePrediction`. 0 where `perRow`. */
  readonly row: number;
  /** `values` has one for each row of the prediction. */
  readonly perRow: boolean;
  /** One; several for a label with one for each row; none for text and JSON. */
  readonly values: readonly Truth[];
  /** Text or JSON, in UTF-8. */
  readonly payload: Uint8Array | undefined;
  /** When it came, as the database writes times; undefined: now. */
  readonly recordedAt?: string;
}

/** Why an item is not taken. */
export interface Refusal {
  readonly kind: ErrorKind;
  /** A sentence that names the field. */
  readonly reason: string;
  /** Of a request id that is of several. */
  readonly predictionIds?: readonly string[];
}

/** What became of an item. */
export type ItemAnswer =
  | { readonly result: 'joined' | 'duplicate'; readonly predictionId: string }
  | { readonly result: 'waiting'; readonly untilMs: number }
  /** It waits already. */
  | { readonly result: 'duplicate'; readonly predictionId: undefined }
  | ({ readonly result: 'refused' } & Refusal);

export const refused = (kind: ErrorKind, reason: string, predictionIds?: readonly string[]): ItemAnswer => ({
  result: 'refused',
  kind,
  reason,
  ...(predictionIds && { predictionIds }),
});

export const isRefusal = (value: object): value is Refusal =>
  'reason' in value && 'kind' in value && !('values' in value);
