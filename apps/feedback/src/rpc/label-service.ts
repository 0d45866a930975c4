import type { ItemAnswer as ItemAnswerMessage } from '@sluice/contracts/gen/sluice/feedback/v1/ItemAnswer';
import type { UnmatchedItem as UnmatchedItemMessage } from '@sluice/contracts/gen/sluice/feedback/v1/UnmatchedItem';
import type { LabelServiceMethods } from '@sluice/contracts/services';
import type { ErrorKind } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import type { Handlers } from '@sluice/rpc/handlers';
import { statusName, statusOf } from '@sluice/rpc/status';
import type { ItemAnswer } from '../labels/item.ts';
import { isName, wholePrediction } from '../labels/item.ts';
import type { LabelSessions } from '../labels/label-sessions.ts';
import { listUnmatched } from '../labels/list-unmatched.ts';
import type { UnmatchedItem } from '../labels/ports.ts';
import { readFeedback, readLabels } from './read-items.ts';
import { timestamp } from './scalars.ts';

/** Handlers of LabelService: decode, call the use case, encode. */
export function labelHandlers(sessions: LabelSessions): Handlers<LabelServiceMethods> {
  const { record } = sessions;
  return {
    recordLabels: async ({ labels }, { actor }) => ({
      answers: (await record(readLabels(labels, checkActor(actor), sessions.context()))).map(encodeAnswer),
    }),
    streamLabels: (requests, { actor }) =>
      sessions.stream(requests, async ({ labels }) => ({
        answers: (await record(readLabels(labels, checkActor(actor), sessions.context()))).map(encodeAnswer),
      })),
    recordFeedback: async ({ items }, { actor }) => ({
      answers: (await record(readFeedback(items, checkActor(actor), sessions.context()))).map(encodeAnswer),
    }),
    streamFeedback: (requests, { actor }) =>
      sessions.stream(requests, async ({ items }) => ({
        answers: (await record(readFeedback(items, checkActor(actor), sessions.context()))).map(encodeAnswer),
      })),
    listUnmatchedLabels: async (request) => {
      const { items, nextPageToken } = await listUnmatched(sessions.unmatched, request);
      return { items: items.map(encodeUnmatched), nextPageToken };
    },
  };
}

const results = {
  joined: 'ITEM_RESULT_JOINED',
  waiting: 'ITEM_RESULT_WAITING',
  duplicate: 'ITEM_RESULT_DUPLICATE',
  refused: 'ITEM_RESULT_REFUSED',
} as const;

const statusOfKind = (kind: ErrorKind): string => statusName(statusOf(kind));

function encodeAnswer(answer: ItemAnswer): ItemAnswerMessage {
  const result = results[answer.result];
  switch (answer.result) {
    case 'waiting':
      return { result, waitsUntil: timestamp(answer.untilMs) };
    case 'refused': {
      const { kind, reason, predictionIds = [] } = answer;
      return { result, status: statusOfKind(kind), reason, predictionIds: [...predictionIds] };
    }
    case 'joined':
    case 'duplicate':
      return { result, predictionIds: answer.predictionId === undefined ? [] : [answer.predictionId] };
  }
}

function encodeUnmatched({ item, recordedMs, endedMs, refusal }: UnmatchedItem): UnmatchedItemMessage {
  const { kind, predictionId, model, requestId, source, row, perRow, values, atMicros } = item;
  return {
    ...{ kind, predictionId, model, requestId, source },
    ...(perRow || row === wholePrediction ? {} : { row }),
    values: values.map((truth) => (isName(truth) ? { name: truth.name } : { number: truth.number })),
    labelledAt: atMicros === undefined ? null : timestamp(atMicros / 1_000),
    recordedAt: timestamp(recordedMs),
    endedAt: timestamp(endedMs),
    status: statusOfKind(refusal.kind),
    reason: refusal.reason,
  };
}
