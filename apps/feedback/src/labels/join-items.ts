import type { PayloadCipher } from '../payloads/payload-cipher.ts';
import { feedbackRows } from './feedback-rows.ts';
import type { Item, ItemAnswer } from './item.ts';
import { isName, refused } from './item.ts';
import { truthDigest, waitingKey } from './digest.ts';
import type { ItemIds } from './item-ids.ts';
import { limits } from './limits.ts';
import type { Prediction } from './place-item.ts';
import { placeRefusal, predictionsOf } from './place-item.ts';
import type { LabelRow, LabelTransaction, WaitingRow } from './ports.ts';
import { labelOf, scoreAnswers } from './score-answers.ts';
import type { Ask, TaskAnswer, VersionName } from './task.ts';
import { unknownOf } from './task.ts';

export interface JoinPorts {
  readonly tx: LabelTransaction;
  readonly cipher: PayloadCipher;
  readonly ids: ItemIds;
  /** Undefined for one that has to be asked for first. */
  readonly taskOf: (version: VersionName) => TaskAnswer | undefined;
  readonly nowMs: number;
  /** How long an item waits for its prediction. */
  readonly waitMs: number;
  /** False where what is not there yet waits already. */
  readonly keepWaiting: boolean;
}

interface Placed {
  readonly index: number;
  readonly item: Item;
  readonly prediction: Prediction;
}

/** What the items of one batch come to, before it is known which of them were there already. */
interface Plan {
  readonly labels: LabelRow[];
  readonly feedback: Placed[];
  readonly waiting: { readonly index: number; readonly item: Item }[];
  /** The rows of each item that has a prediction. */
  readonly placed: { readonly index: number; readonly predictionId: string; readonly rowIds: readonly string[] }[];
}

/**
 * Joins items to their predictions, and keeps those that have none yet. Items are independent: what is wrong with one does nothing to
 * the others. Answers are in the order of the items.
 */
export async function joinItems(
  ports: JoinPorts,
  items: readonly Item[],
): Promise<{ readonly answers: ItemAnswer[] } | Ask> {
  const answers: (ItemAnswer | undefined)[] = new Array<ItemAnswer | undefined>(items.length).fill(undefined);
  const ids = await findIds(ports, items, answers);
  const records = await ports.tx.answersOf([...new Set(ids.filter((id) => id !== ''))]);
  const ask = items.some(({ kind }) => kind === 'label' || kind === 'correction')
    ? unknownOf(records, ports.taskOf)
    : [];
  if (ask.length > 0) return { ask };
  const predictions = predictionsOf(records);
  const skewed = await skewedOf(ports, ids, predictions);
  const plan: Plan = { labels: [], feedback: [], waiting: [], placed: [] };
  for (const [index, item] of items.entries()) {
    if (answers[index]) continue;
    const prediction = predictions.get(ids[index]!);
    if (!prediction && skewed.has(ids[index]!)) answers[index] = outOfTime(ids[index]!);
    else if (!prediction) plan.waiting.push({ index, item });
    else answers[index] = place(ports, plan, { index, item, prediction });
  }
  await joinAll(ports, plan, predictions, answers);
  await keepWaiting(ports, plan, answers);
  return { answers: answers as ItemAnswer[] };
}

/** The prediction that each item names; '' where there is none, or where `answers` has why not. */
async function findIds(
  { tx }: JoinPorts,
  items: readonly Item[],
  answers: (ItemAnswer | undefined)[],
): Promise<string[]> {
  const byRequest = [...items.entries()].filter(([, { predictionId }]) => predictionId === '');
  const ids = items.map(({ predictionId }) => predictionId);
  if (byRequest.length === 0) return ids;
  const found = await tx.predictionsOf(byRequest.map(([, { model, requestId }]) => ({ model, requestId })));
  for (const [place, [index]] of byRequest.entries()) {
    const own = found[place]!;
    if (own.length > 1) answers[index] = ambiguous(own);
    else ids[index] = own[0] ?? '';
  }
  return ids;
}

function ambiguous(ids: readonly string[]): ItemAnswer {
  const listed = ids.slice(0, limits.listedIds);
  const count = ids.length > listed.length ? `more than ${listed.length}` : String(ids.length);
  const reason = `request_id: it is of ${count} predictions: ${listed.join(', ')}; expected the prediction_id of one`;
  return refused('failed-precondition', reason, listed);
}

const outOfTime = (id: string): ItemAnswer =>
  refused(
    'failed-precondition',
    `prediction_id: the records of ${id} are kept apart, since its time is of no day that is kept: it takes no labels`,
  );

async function skewedOf(
  { tx }: JoinPorts,
  ids: readonly string[],
  predictions: ReadonlyMap<string, Prediction>,
): Promise<ReadonlySet<string>> {
  const missing = [...new Set(ids.filter((id) => id !== '' && !predictions.has(id)))];
  return missing.length === 0 ? new Set() : tx.skewed(missing);
}

/** Plans the rows of an item, or says why it has none. */
function place({ taskOf, ids, nowMs, tx }: JoinPorts, plan: Plan, placed: Placed): ItemAnswer | undefined {
  const { index, item, prediction } = placed;
  const refusal = placeRefusal(item, prediction, (version) => taskOf(version) ?? 'unknown');
  if (refusal) return { result: 'refused', ...refusal };
  if (item.kind !== 'label') {
    plan.feedback.push(placed);
    return undefined;
  }
  const { predictionId } = prediction;
  const rows = item.values.map((truth, at): LabelRow => ({
    labelId: ids.next(nowMs),
    class: prediction.class,
    predictionId,
    item,
    model: prediction.answers[0]!.model,
    row: item.perRow ? at : item.row,
    name: isName(truth) ? truth.name : null,
    number: isName(truth) ? null : truth.number,
    digest: truthDigest(truth, item.atMicros),
    recordedAt: item.recordedAt ?? tx.now,
  }));
  plan.labels.push(...rows);
  plan.placed.push({ index, predictionId, rowIds: rows.map(({ labelId }) => labelId) });
  return undefined;
}

async function joinAll(
  ports: JoinPorts,
  plan: Plan,
  predictions: ReadonlyMap<string, Prediction>,
  answers: (ItemAnswer | undefined)[],
): Promise<void> {
  const { tx } = ports;
  const added = new Set(plan.labels.length === 0 ? [] : await tx.addLabels(plan.labels));
  const pairings = plan.labels
    .filter(({ labelId }) => added.has(labelId))
    .map((label) => ({
      label: labelOf(label),
      answers: predictions.get(label.predictionId)!.answers.filter(({ status }) => status === 0),
    }));
  const taskOf = (version: VersionName): TaskAnswer => ports.taskOf(version) ?? 'unknown';
  const outcomes = await scoreAnswers({ ...ports, taskOf }, pairings);
  if (outcomes.length > 0) await tx.addFirstOutcomes(outcomes);
  if (plan.feedback.length > 0) {
    const rows = await feedbackRows(ports, plan.feedback);
    for (const id of await tx.addFeedback(rows)) added.add(id);
    for (const [at, { index, prediction }] of plan.feedback.entries())
      plan.placed.push({ index, predictionId: prediction.predictionId, rowIds: [rows[at]!.feedbackId] });
  }
  for (const { index, predictionId, rowIds } of plan.placed)
    answers[index] = { result: rowIds.some((id) => added.has(id)) ? 'joined' : 'duplicate', predictionId };
}

async function keepWaiting(ports: JoinPorts, plan: Plan, answers: (ItemAnswer | undefined)[]): Promise<void> {
  const untilMs = ports.nowMs + ports.waitMs;
  const rows = new Map<string, WaitingRow>();
  const keys = plan.waiting.map(({ index, item }) => {
    const key = waitingKey(item, ports.cipher);
    const hex = key.toString('hex');
    // The second of two that are the same is a duplicate of the first.
    const isFirst = !rows.has(hex);
    if (isFirst) rows.set(hex, { key, item, expiresMs: untilMs });
    return { index, hex, isFirst };
  });
  const added = ports.keepWaiting && rows.size > 0 ? await ports.tx.addWaiting([...rows.values()]) : new Set<string>();
  for (const { index, hex, isFirst } of keys)
    answers[index] =
      isFirst && (added.has(hex) || !ports.keepWaiting)
        ? { result: 'waiting', untilMs }
        : { result: 'duplicate', predictionId: undefined };
}
