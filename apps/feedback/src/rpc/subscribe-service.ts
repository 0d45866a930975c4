import type { SubscribeRequest__Output } from '@sluice/contracts/gen/sluice/feedback/v1/SubscribeRequest';
import type { SubscribeServiceMethods } from '@sluice/contracts/services';
import { invalidArgument } from '@sluice/domain/errors';
import { checkText } from '@sluice/domain/text';
import type { Handlers } from '@sluice/rpc/handlers';
import { watch } from '@sluice/rpc/handlers';
import { readCursor } from '../follow/cursor.ts';
import { tablesOf } from '../follow/read-page.ts';
import type { Subscribe } from '../follow/subscription.ts';
import type { Subscriptions } from '../follow/subscriptions.ts';
import { encodeRow } from './encode-followed.ts';
import { duration } from './scalars.ts';

/** Handlers of SubscribeService. */
export function subscribeHandlers(subscriptions: Pick<Subscriptions, 'follow'>): Handlers<SubscribeServiceMethods> {
  return {
    subscribe: watch(async function* (request, { signal }) {
      for await (const { rows, cursor, heldBackMs, more } of subscriptions.follow(decodeSubscribe(request), signal))
        yield { rows: rows.map(encodeRow), cursor, heldBack: duration(heldBackMs), more };
    }),
  };
}

const kinds: Readonly<Record<string, string>> = {
  FOLLOWED_KIND_EVIDENCE: 'evidence',
  FOLLOWED_KIND_LABEL: 'label',
  FOLLOWED_KIND_OUTCOME: 'outcome',
};
const mostKinds = 16;
const mostModelBytes = 1_024;
const defaultHeartbeatMs = 5_000;

/** @throws SluiceError invalid-argument */
export function decodeSubscribe(request: SubscribeRequest__Output): Subscribe {
  const { kinds: wanted, model, heartbeatMs } = request;
  if (wanted.length > mostKinds) throw invalidArgument(`kinds: ${wanted.length} given; expected at most ${mostKinds}`);
  const names = wanted.map((kind, index) => {
    const name = kinds[kind];
    if (name === undefined)
      throw invalidArgument(`kinds[${index}]: ${kind} given; expected one of ${Object.keys(kinds).join(', ')}`);
    return name;
  });
  if (Buffer.byteLength(model) > mostModelBytes)
    throw invalidArgument(`model: ${Buffer.byteLength(model)} bytes given; expected at most ${mostModelBytes}`);
  checkText(model, 'model');
  if (heartbeatMs !== 0 && (heartbeatMs < 100 || heartbeatMs > 60_000))
    throw invalidArgument(`heartbeat_ms: ${heartbeatMs} given; expected 100 to 60000, or 0 for ${defaultHeartbeatMs}`);
  return {
    from: from(request),
    filter: { tables: tablesOf(names), model },
    heartbeatMs: heartbeatMs === 0 ? defaultHeartbeatMs : heartbeatMs,
  };
}

function from({ cursor, begin }: SubscribeRequest__Output): Subscribe['from'] {
  if (cursor !== '' && begin !== 'SUBSCRIBE_BEGIN_UNSPECIFIED')
    throw invalidArgument('begin: given with a cursor; expected one of them');
  if (cursor !== '') return readCursor(cursor);
  switch (begin) {
    case 'SUBSCRIBE_BEGIN_OLDEST':
      return 'oldest';
    case 'SUBSCRIBE_BEGIN_NOW':
      return 'now';
    case 'SUBSCRIBE_BEGIN_UNSPECIFIED':
      throw invalidArgument('begin: missing; expected SUBSCRIBE_BEGIN_OLDEST, SUBSCRIBE_BEGIN_NOW, or a cursor');
    default:
      throw invalidArgument(`begin: ${String(begin)} given; expected SUBSCRIBE_BEGIN_OLDEST or SUBSCRIBE_BEGIN_NOW`);
  }
}
