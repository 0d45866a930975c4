import type { Erasure as WireErasure } from '@sluice/contracts/gen/sluice/feedback/v1/Erasure';
import type { ErasureState__Output } from '@sluice/contracts/gen/sluice/feedback/v1/ErasureState';
import type { Spool as WireSpool } from '@sluice/contracts/gen/sluice/feedback/v1/Spool';
import type { PrivacyServiceMethods } from '@sluice/contracts/services';
import type { Handlers } from '@sluice/rpc/handlers';
import type { ErasePorts } from '../privacy/erase-subject.ts';
import { eraseSubject } from '../privacy/erase-subject.ts';
import type { Erasure, KnownSpool, Spools } from '../privacy/erasure.ts';
import { forgetSpool } from '../privacy/forget-spool.ts';
import type { ErasureDetails } from '../privacy/read-erasures.ts';
import { erasureDetails, getErasure, listErasures, listSpools } from '../privacy/read-erasures.ts';
import { timestamp } from './scalars.ts';

export interface PrivacyServicePorts extends ErasePorts {
  readonly spools: Spools;
}

/** Handlers of PrivacyService: decode, call the use case, encode. */
export function privacyHandlers(ports: PrivacyServicePorts): Handlers<PrivacyServiceMethods> {
  const { erasures, spools } = ports;
  return {
    eraseSubject: async ({ subject, reason, requestId, destroyUnreadable }, { actor }) => {
      const erasure = await eraseSubject(ports, { subject, reason, requestId, destroyUnreadable, actor });
      return { erasure: encodeDetails(await erasureDetails(erasures, erasure)) };
    },
    getErasure: async ({ erasureId }) => ({ erasure: encodeDetails(await getErasure(erasures, erasureId)) }),
    listErasures: async ({ pageSize, pageToken, state }) => {
      const found = await listErasures(erasures, { pageSize, pageToken, isDone: isDone[state] });
      return { erasures: found.erasures.map(encodeErasure), nextPageToken: found.nextPageToken };
    },
    listSpools: async (request) => {
      const found = await listSpools(spools, request);
      return { spools: found.spools.map(encodeSpool), nextPageToken: found.nextPageToken };
    },
    forgetSpool: async ({ spoolId, reason }, { actor }) => ({
      spool: encodeSpool(await forgetSpool(ports, { spoolId, reason, actor })),
    }),
  };
}

const isDone: Readonly<Record<ErasureState__Output, boolean | undefined>> = {
  ERASURE_STATE_UNSPECIFIED: undefined,
  ERASURE_STATE_PENDING: false,
  ERASURE_STATE_DONE: true,
};

const timeOrNull = (ms: number | undefined) => (ms === undefined ? null : timestamp(ms));

function encodeErasure(erasure: Erasure): WireErasure {
  const { number, erasureId, subjectHash, reason, actor, requestId, orderedMs, doneMs, keyIds } = erasure;
  return {
    ...{ number, erasureId, subjectHash, reason, actor, requestId, keysDestroyed: keyIds.length },
    state: doneMs === undefined ? 'ERASURE_STATE_PENDING' : 'ERASURE_STATE_DONE',
    ...{ orderedAt: timestamp(orderedMs), doneAt: timeOrNull(doneMs) },
  };
}

function encodeDetails({ erasure, pending, exports }: ErasureDetails): WireErasure {
  const { spools, spoolCount, unreadableLetters, waitingFeedback } = pending;
  return {
    ...encodeErasure(erasure),
    pending: {
      ...{ spools: spools.map(encodeSpool), spoolCount, unreadableDeadLetters: unreadableLetters, waitingFeedback },
      document: !erasure.hasDocument,
    },
    exports: exports.map(({ exportedMs, ...each }) => ({ ...each, exportedAt: timestamp(exportedMs) })),
  };
}

function encodeSpool({ firstSeenMs, lastSeenMs, forgottenMs, ...spool }: KnownSpool): WireSpool {
  return {
    ...{ ...spool, firstSeenAt: timestamp(firstSeenMs), lastSeenAt: timestamp(lastSeenMs) },
    forgottenAt: timeOrNull(forgottenMs),
  };
}
