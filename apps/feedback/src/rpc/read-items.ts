import type { FeedbackItem__Output } from '@sluice/contracts/gen/sluice/feedback/v1/FeedbackItem';
import type { Label__Output } from '@sluice/contracts/gen/sluice/feedback/v1/Label';
import type { LabelValue__Output } from '@sluice/contracts/gen/sluice/feedback/v1/LabelValue';
import type { Timestamp__Output } from '@sluice/contracts/gen/google/protobuf/Timestamp';
import { invalidArgument } from '@sluice/domain/errors';
import { checkFeedback } from '../labels/check-feedback.ts';
import type { GivenContent } from '../labels/check-feedback.ts';
import type { CheckContext } from '../labels/check-item.ts';
import { checkLabel } from '../labels/check-item.ts';
import type { Item, Refusal, Truth } from '../labels/item.ts';
import { wholePrediction } from '../labels/item.ts';
import { limits } from '../labels/limits.ts';

/** Labels of a batch, each checked by itself. @throws SluiceError invalid-argument when the batch is too large */
export function readLabels(labels: readonly Label__Output[], actor: string, context: CheckContext): (Item | Refusal)[] {
  checkCount(labels.length, 'labels');
  const values = labels.reduce((sum, label) => sum + Math.max(1, label.values.length), 0);
  if (values > limits.values)
    throw invalidArgument(`labels: ${values} values given; expected at most ${limits.values} in one batch`);
  return labels.map(({ predictionId, model, requestId, source, row, value, values: own, labelledAt }) =>
    checkLabel(
      {
        predictionId,
        model,
        requestId,
        source,
        row,
        value: value === null ? undefined : readTruth(value),
        hasValue: value !== null,
        values: own.map(readTruth),
        atMicros: readTime(labelledAt),
        actor,
      },
      context,
    ),
  );
}

/** The same for feedback. */
export function readFeedback(
  items: readonly FeedbackItem__Output[],
  actor: string,
  context: CheckContext,
): (Item | Refusal)[] {
  checkCount(items.length, 'items');
  const bytes = items.reduce(
    (sum, { text, json }) => sum + Buffer.byteLength(text ?? '') + Buffer.byteLength(json ?? ''),
    0,
  );
  if (bytes > limits.batchPayloadBytes)
    throw invalidArgument(
      `items: ${bytes} bytes of texts and JSON given; expected at most ${limits.batchPayloadBytes} in one batch`,
    );
  return items.map((item) => {
    const { predictionId, model, requestId, source, givenAt } = item;
    const row = item._row === 'row' ? (item.row ?? 0) : wholePrediction;
    const content = readContent(item);
    return checkFeedback(
      { predictionId, model, requestId, source, row, actor, content, atMicros: readTime(givenAt) },
      context,
    );
  });
}

function checkCount(count: number, field: string): void {
  if (count > limits.items)
    throw invalidArgument(`${field}: ${count} given; expected at most ${limits.items} in one batch`);
}

function readContent(item: FeedbackItem__Output): GivenContent | undefined {
  switch (item.content) {
    case 'rating':
    case 'reward':
      return { kind: item.content, number: Number(item[item.content]) };
    case 'correction':
      return { kind: 'correction', truth: item.correction ? readTruth(item.correction) : undefined };
    case 'text':
    case 'json':
      return { kind: item.content, text: item[item.content] ?? '' };
    case undefined:
      return undefined;
  }
}

function readTruth({ value, name, number }: LabelValue__Output): Truth | undefined {
  switch (value) {
    case 'name':
      return { name: name ?? '' };
    // What JSON has no number for comes as text.
    case 'number':
      return { number: Number(number) };
    case undefined:
      return undefined;
  }
}

/** Whole microseconds; NaN for what is no time. */
function readTime(time: Timestamp__Output | null): number | undefined {
  if (time === null) return undefined;
  const { seconds, nanos } = time;
  const micros = Number(seconds) * 1e6 + Math.floor(nanos / 1_000);
  // Of years so far ahead that microseconds are lost, which are refused.
  return nanos >= 0 && nanos < 1e9 ? micros : NaN;
}
