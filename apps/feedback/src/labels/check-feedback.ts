import { clip } from '@sluice/domain/names';
import { textProblem } from '@sluice/domain/text';
import type { CheckContext, GivenAddress } from './check-item.ts';
import { checkAddress, mostRow, numberRefusal, textRefusal, timeRefusal, truthRefusal } from './check-item.ts';
import type { Item, ItemKind, Refusal, Truth } from './item.ts';
import { limits } from './limits.ts';

/** What somebody said of a prediction, as it came. */
export type GivenContent =
  | { readonly kind: 'rating' | 'reward'; readonly number: number }
  | { readonly kind: 'correction'; readonly truth: Truth | undefined }
  | { readonly kind: 'text' | 'json'; readonly text: string };

export interface GivenFeedback extends GivenAddress {
  readonly source: string;
  /** `wholePrediction` where none was given. */
  readonly row: number;
  readonly content: GivenContent | undefined;
  readonly atMicros: number | undefined;
  readonly actor: string;
}

interface Content {
  readonly kind: Exclude<ItemKind, 'label'>;
  readonly values: readonly Truth[];
  readonly payload: Uint8Array | undefined;
}

const invalid = (reason: string): Refusal => ({ kind: 'invalid-argument', reason });

/** Feedback that may be looked up, or why it is refused whatever its prediction is. */
export function checkFeedback(given: GivenFeedback, context: CheckContext): Item | Refusal {
  const { source, row, atMicros, actor } = given;
  const address = checkAddress(given, context);
  if ('reason' in address) return address;
  const problem =
    textRefusal(source, 'source', limits.sourceBytes) ??
    timeRefusal(atMicros, 'given_at', context.nowMs) ??
    (row > mostRow ? invalid(`row: ${row} given; expected the index of a row of the prediction`) : undefined);
  if (problem) return problem;
  const content = checkContent(given.content);
  if ('reason' in content) return content;
  return { ...address, ...content, source, actor, atMicros, row, perRow: false };
}

function checkContent(content: GivenContent | undefined): Content | Refusal {
  switch (content?.kind) {
    case undefined:
      return invalid('content: missing; expected a rating, a correction, a reward, a text or JSON');
    case 'rating':
    case 'reward':
      return checkNumber(content.kind, content.number);
    case 'correction':
      return (
        truthRefusal(content.truth, 'correction') ?? {
          kind: 'correction',
          values: [content.truth!],
          payload: undefined,
        }
      );
    case 'text':
    case 'json':
      return checkPayload(content.kind, content.text);
  }
}

function checkNumber(kind: 'rating' | 'reward', number: number): Content | Refusal {
  const problem = numberRefusal(number, kind);
  if (problem) return problem;
  if (kind === 'rating' && Math.abs(number) > limits.rating)
    return invalid(`rating: ${number} given; expected a number from -${limits.rating} to ${limits.rating}`);
  return { kind, values: [{ number }], payload: undefined };
}

function checkPayload(kind: 'text' | 'json', text: string): Content | Refusal {
  const bytes = Buffer.byteLength(text);
  if (bytes === 0) return invalid(`${kind}: empty; expected 1 to ${limits.payloadBytes} bytes`);
  if (bytes > limits.payloadBytes)
    return invalid(`${kind}: ${bytes} bytes given; expected at most ${limits.payloadBytes}`);
  const problem = textProblem(text);
  if (problem !== undefined) return invalid(`${kind}: the text ${problem}; expected Unicode without NUL`);
  if (kind === 'json' && !isObject(text))
    return invalid(`json: "${clip(text, 40)}" is no object; expected JSON such as {"reason": "late"}`);
  return { kind, values: [], payload: Buffer.from(text) };
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
