import { SluiceError } from '@sluice/domain/errors';
import type { PayloadCipher, SealedPayload } from '../payloads/payload-cipher.ts';
import type { Truth } from './item.ts';
import type { LabelRow, LabelTransaction, OutcomeRow, StoredAnswer } from './ports.ts';
import type { ScoreRow } from './score-response.ts';
import { scoreResponse } from './score-response.ts';
import type { TaskAnswer } from './task.ts';
import { timeText } from './times.ts';

export interface ScorePorts {
  readonly tx: Pick<LabelTransaction, 'response'>;
  readonly cipher: Pick<PayloadCipher, 'openAll'>;
  readonly taskOf: (answer: StoredAnswer) => TaskAnswer;
}

/** A label and the answers that it is to be held against. */
export interface Pairing {
  readonly label: OutcomeRow['label'];
  readonly answers: readonly StoredAnswer[];
}

/** How a label is seen by outcomes. */
export const labelOf = ({ labelId, row, name, number, recordedAt, item }: LabelRow): OutcomeRow['label'] => ({
  labelId,
  row,
  name,
  number,
  recordedAt,
  source: item.source,
  labelledAt: timeText(item.atMicros),
});

/** Answers whose payloads are opened together. */
const openedAtOnce = 256;

/**
 * What labels say of answers: a row for each pair. Each answer is decoded once. Those that failed say nothing: the caller leaves
 * them out.
 */
export async function scoreAnswers(ports: ScorePorts, pairings: readonly Pairing[]): Promise<OutcomeRow[]> {
  const wanted = new Map<StoredAnswer, OutcomeRow['label'][]>();
  for (const { label, answers } of pairings)
    for (const answer of answers) {
      const labels = wanted.get(answer);
      if (labels) labels.push(label);
      else wanted.set(answer, [label]);
    }
  const rows: OutcomeRow[] = [];
  const inline: StoredAnswer[] = [];
  for (const answer of wanted.keys()) {
    if (answer.responseState !== 'captured') {
      const state = answer.responseState === 'erased' ? 'erased' : 'not-captured';
      for (const label of wanted.get(answer)!) rows.push({ label, answer, state, score: undefined });
    } else if (answer.response !== undefined) inline.push(answer);
    else addRows(rows, await openOne(ports, answer), answer, wanted.get(answer)!);
  }
  for (let from = 0; from < inline.length; from += openedAtOnce) {
    const some = inline.slice(from, from + openedAtOnce);
    const opened = await openAll(ports, some);
    for (const [index, answer] of some.entries())
      addRows(rows, scorerOf(ports, answer, opened[index]), answer, wanted.get(answer)!);
  }
  return rows;
}

type Scorer = ScoreRow | 'erased' | 'not-captured' | 'not-decodable';

function addRows(
  rows: OutcomeRow[],
  scorer: Scorer,
  answer: StoredAnswer,
  labels: readonly OutcomeRow['label'][],
): void {
  for (const label of labels) {
    const score = typeof scorer === 'string' ? undefined : scorer(label.row, truthOf(label));
    const state = typeof scorer === 'string' ? scorer : score ? 'scored' : 'not-decodable';
    rows.push({ label, answer, state, score });
  }
}

const truthOf = ({ name, number }: OutcomeRow['label']): Truth => (name === null ? { number: number! } : { name });

function scorerOf({ taskOf }: ScorePorts, answer: StoredAnswer, response: Uint8Array | undefined): Scorer {
  if (response === undefined) return 'erased';
  const task = taskOf(answer);
  if (typeof task === 'string') return 'not-decodable';
  return scoreResponse(response, task) ?? 'not-decodable';
}

/** Large ones one after the other: their bytes are let go as soon as they are decoded. */
async function openOne(ports: ScorePorts, answer: StoredAnswer): Promise<Scorer> {
  const response = await ports.tx.response(answer);
  if (response === undefined) return 'not-captured';
  const [opened] = await openAll(ports, [{ ...answer, response }]);
  return scorerOf(ports, answer, opened);
}

/** Responses in plain, of the answers in their order: no bytes for one that is not what was stored, undefined for one whose key is gone. */
async function openAll({ cipher }: ScorePorts, answers: readonly StoredAnswer[]): Promise<(Uint8Array | undefined)[]> {
  if (answers.every(({ payloadKeyId }) => payloadKeyId === undefined)) return answers.map(({ response }) => response);
  const sealed = answers.map(({ payloadKeyId: keyId, response, predictionId, arm, attempt }) => ({
    ...{ keyId, bytes: response!, context: `evidence/${predictionId}/${arm}/${attempt}/response` },
  }));
  try {
    return await cipher.openAll(sealed);
  } catch (error) {
    if (!isLost(error)) throw error;
  }
  // One that is broken is no reason to take no labels of the others, for ever.
  const opened: (Uint8Array | undefined)[] = [];
  for (const each of sealed) opened.push(await openedAlone(cipher, each));
  return opened;
}

async function openedAlone(cipher: ScorePorts['cipher'], sealed: SealedPayload): Promise<Uint8Array | undefined> {
  try {
    return (await cipher.openAll([sealed]))[0];
  } catch (error) {
    if (isLost(error)) return new Uint8Array(0);
    throw error;
  }
}

const isLost = (error: unknown): boolean => error instanceof SluiceError && error.kind === 'data-loss';
