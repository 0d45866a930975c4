import type { DeadLetter } from '@sluice/contracts/gen/sluice/feedback/v1/DeadLetter';
import type { FeedbackServiceMethods } from '@sluice/contracts/services';
import type { Handlers } from '@sluice/rpc/handlers';
import type { DeadLetterSummary } from '../usecases/dead-letters.ts';
import { deleteDeadLetters } from '../usecases/delete-dead-letters.ts';
import { listDeadLetters } from '../usecases/list-dead-letters.ts';
import type { ReplayPorts } from '../usecases/replay-dead-letters.ts';
import { replayDeadLetters } from '../usecases/replay-dead-letters.ts';
import { readInteger, timestamp } from './scalars.ts';

/** Handlers of FeedbackService: decode, call the use case, encode. */
export function feedbackHandlers(ports: ReplayPorts): Handlers<FeedbackServiceMethods> {
  return {
    listDeadLetters: async (request) => {
      const { deadLetters, nextPageToken } = await listDeadLetters(ports.letters, request);
      return { deadLetters: deadLetters.map(encodeDeadLetter), nextPageToken };
    },
    replayDeadLetters: async ({ ids, pageSize, pageToken }, { signal }) => {
      const request = { ids: readIds(ids), pageSize, pageToken };
      const { missingIds, ...counts } = await replayDeadLetters(ports, request, signal);
      return { ...counts, missingIds: [...missingIds] };
    },
    deleteDeadLetters: async ({ ids, reason }, { signal }) => {
      const request = { ids: readIds(ids), reason };
      const { deleted, missingIds } = await deleteDeadLetters(ports.letters, request, signal);
      return { deleted, missingIds: [...missingIds] };
    },
  };
}

const readIds = (ids: readonly string[]): number[] => ids.map((id, index) => readInteger(id, `ids[${index}]`));

const kinds = { block: 'DEAD_LETTER_KIND_BLOCK', record: 'DEAD_LETTER_KIND_RECORD' } as const;

function encodeDeadLetter({ kind, origin, firstMs, lastMs, ...letter }: DeadLetterSummary): DeadLetter {
  return { ...letter, ...origin, kind: kinds[kind], firstAt: timestamp(firstMs), lastAt: timestamp(lastMs) };
}
