import type { ItemResult__Output } from '@sluice/contracts/gen/sluice/feedback/v1/ItemResult';
import type { Sent } from './predict.ts';
import { concurrently } from './steps.ts';
import { model, self } from './world.ts';
import type { World } from './world.ts';

const itemsOfCall = 200;
const callsAtOnce = 4;

export interface Labelled {
  /** Labels that were stored with their prediction at once. */
  readonly joined: number;
  /** Labels that came before the evidence of their prediction: joined by themselves when it is there. */
  readonly waiting: number;
}

/**
 * Says what every digit was, in another order than that of the predictions: truth comes when it comes.
 *
 * @throws Error with the reason when a label is refused
 */
export async function labelAll({ feedback, signal }: World, sent: readonly Sent[]): Promise<Labelled> {
  const labels = shuffled(sent).map(({ predictionId, requestId, label }, index) => ({
    // Who has kept the id of a prediction names it; all others name their own request.
    ...(index % 5 === 0 ? { predictionId } : { model, requestId }),
    ...{ source: self, value: { name: label } },
  }));
  const calls = Array.from({ length: Math.ceil(labels.length / itemsOfCall) }, (_, index) =>
    labels.slice(index * itemsOfCall, (index + 1) * itemsOfCall),
  );
  const answers = await concurrently(calls, callsAtOnce, async (items) =>
    feedback.labels.recordLabels({ labels: items }, { signal }),
  );
  const all = answers.flatMap((answer) => answer.answers);
  const refused = all.find(({ result }) => result === 'ITEM_RESULT_REFUSED');
  if (refused) throw new Error(`a label was refused: ${refused.status} ${refused.reason}`);
  const count = (wanted: ItemResult__Output): number => all.filter(({ result }) => result === wanted).length;
  return { joined: count('ITEM_RESULT_JOINED'), waiting: count('ITEM_RESULT_WAITING') };
}

/** The items in any order. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
