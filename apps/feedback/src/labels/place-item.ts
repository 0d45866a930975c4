import type { Item, Refusal } from './item.ts';
import { wholePrediction } from './item.ts';
import type { StoredAnswer } from './ports.ts';
import type { TaskAnswer, VersionName } from './task.ts';
import { taskRefusal } from './task.ts';

/** The prediction that an item is about. */
export interface Prediction {
  readonly predictionId: string;
  /** One at least. */
  readonly answers: readonly StoredAnswer[];
  /** Of the record that came first: what is said of a prediction lies in one class, whatever those of its arms are. */
  readonly class: string;
  /** Of what the caller got, or else of the record that came first: a shadow may be of another one. */
  readonly model: string;
  /** Of the request; 0 where nobody counted them. */
  readonly rows: number;
  /** What the caller got, or else whatever there is: the truth must be one of these versions. */
  readonly deciding: readonly StoredAnswer[];
}

/** Groups records by prediction. */
export function predictionsOf(answers: readonly StoredAnswer[]): Map<string, Prediction> {
  const byId = new Map<string, StoredAnswer[]>();
  for (const answer of answers) {
    const known = byId.get(answer.predictionId);
    if (known) known.push(answer);
    else byId.set(answer.predictionId, [answer]);
  }
  const predictions = new Map<string, Prediction>();
  for (const [predictionId, own] of byId) {
    const given = own.length === 1 ? own : own.filter(({ answered }) => answered);
    let [first, rows] = [own[0]!, 0];
    for (const answer of own) {
      if (compareXids(answer, first) < 0) first = answer;
      if (answer.rows > rows) rows = answer.rows;
    }
    const deciding = given.length > 0 ? given : own;
    const { model } = given[0] ?? first;
    predictions.set(predictionId, { predictionId, answers: own, class: first.class, model, rows, deciding });
  }
  return predictions;
}

/** By the transaction that stored them, then by class. */
function compareXids(one: StoredAnswer, other: StoredAnswer): number {
  if (one.recordedXid === other.recordedXid) return one.class < other.class ? -1 : 1;
  return BigInt(one.recordedXid) < BigInt(other.recordedXid) ? -1 : 1;
}

/** Why an item does not go with its prediction; undefined when it does. */
export function placeRefusal(
  item: Item,
  prediction: Prediction,
  taskOf: (version: VersionName) => TaskAnswer,
): Refusal | undefined {
  const outside = rowRefusal(item, prediction);
  if (outside) return outside;
  if (item.kind !== 'label' && item.kind !== 'correction') return undefined;
  const field = item.kind === 'label' ? 'value' : 'correction';
  // Also of those that do not decide: what is written of an answer is written once.
  const away = prediction.answers.find((answer) => taskOf(answer) === 'away');
  if (away)
    return {
      kind: 'unavailable',
      reason: `${field}: the registry cannot be asked what ${versionOf(away)} predicts: send it again`,
    };
  let refusal: Refusal | undefined;
  for (const answer of prediction.deciding) {
    const found = truthsRefusal(item, field, answer, taskOf(answer));
    // It is enough that one of them could be right.
    if (!found) return undefined;
    refusal ??= found;
  }
  return refusal;
}

const versionOf = ({ model, version }: StoredAnswer): string => `${model} version ${version}`;

function truthsRefusal(
  { values, perRow }: Item,
  field: string,
  answer: StoredAnswer,
  task: TaskAnswer,
): Refusal | undefined {
  // Of a version that nobody knows, anything may be true.
  if (typeof task === 'string') return undefined;
  for (const [index, truth] of values.entries()) {
    const refusal = taskRefusal(task, truth, perRow ? `values[${index}]` : field, versionOf(answer));
    if (refusal) return refusal;
  }
  return undefined;
}

function rowRefusal({ row, perRow, values }: Item, { rows, predictionId }: Prediction): Refusal | undefined {
  if (rows === 0 || row === wholePrediction) return undefined;
  const of = `prediction ${predictionId} has ${rows} ${rows === 1 ? 'row' : 'rows'}`;
  if (perRow && values.length !== rows)
    return { kind: 'invalid-argument', reason: `values: ${values.length} given; ${of}, expected one value for each` };
  if (!perRow && row >= rows)
    return { kind: 'invalid-argument', reason: `row: ${row} given; ${of}, expected 0 to ${rows - 1}` };
  return undefined;
}
