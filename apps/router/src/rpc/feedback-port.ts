import { ingestService } from '@sluice/contracts/services';
import type { RequestInput, IngestServiceMethods } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { StoredBlock } from '@sluice/evidence/spool/contract';
import { mostApart, packBlocks } from '@sluice/evidence/packed-blocks';
import { createRpcClient } from '@sluice/rpc/client';
import { Replicas } from '@sluice/rpc/replicas';
import type { TlsSource } from '@sluice/rpc/tls/source';
import type { FollowedErasures } from '../evidence/erasure-drain.ts';
import type { FeedbackPort, IngestAnswer } from '../evidence/sender.ts';
import { withErasures } from '../evidence/with-erasures.ts';
import { whole } from '../watch/decode-routes.ts';

/** Version of the protocol of `Ingest` that this router speaks; it understands a feedback of the next version too. */
const protocolVersion = 2;
/** From this one on several blocks may come in one message. */
const groupedVersion = 2;

export interface FeedbackPortOptions {
  readonly clock: Clock;
  readonly routerId: string;
  readonly spoolId: string;
  /** After so many milliseconds without a first answer a replica counts as hung, if there is another. */
  readonly silentMs: number;
  readonly tls?: TlsSource | undefined;
}

type Message = RequestInput<IngestServiceMethods['ingest']>;

/** Feedback over gRPC: of several addresses, the first that answers. */
export function feedbackPort(
  addresses: readonly string[],
  options: FeedbackPortOptions,
): FeedbackPort & { close(): void } {
  const client = createRpcClient(ingestService, new Replicas(addresses), options);
  const { spoolId, routerId, silentMs } = options;

  async function* messages(
    blocks: AsyncIterable<readonly StoredBlock[]>,
    erasures: FollowedErasures,
    spoken: Spoken,
  ): AsyncGenerator<Message, void, undefined> {
    yield { hello: { spoolId, routerId, protocolVersion } };
    for await (const each of withErasures(blocks, erasures)) {
      if ('applied' in each) yield { erasuresApplied: { number: each.applied } };
      else yield* blockMessages(each.block, spoken);
    }
  }

  return {
    async *ingest(blocks, signal, erasures): AsyncGenerator<IngestAnswer, void, undefined> {
      const spoken: Spoken = { version: 1 };
      const sent = messages(blocks, erasures, spoken);
      for await (const answer of client.ingest(sent, { signal, firstAnswerMs: silentMs })) {
        // Before the first answer nothing is sent.
        spoken.version = answer.protocolVersion;
        if (answer.protocolVersion > protocolVersion + 1) {
          throw new SluiceError(
            'failed-precondition',
            `feedback speaks version ${answer.protocolVersion} of Ingest, this router ${protocolVersion}: upgrade the router`,
          );
        }
        yield {
          acknowledged: whole(answer.acknowledged, 'position that feedback acknowledged'),
          windowBytes: whole(answer.windowBytes, 'window of feedback'),
          erasures: whole(answer.erasures, 'number of an order to erase'),
        };
      }
    },
    close: () => client.close(),
  };
}

/** Version of the protocol that the feedback at the other end speaks. */
interface Spoken {
  version: number;
}

function* blockMessages(group: readonly StoredBlock[], { version }: Spoken): Generator<Message, void, undefined> {
  const apart = group.at(-1)!.position - group[0]!.position;
  if (group.length > 1 && version >= groupedVersion && apart <= mostApart) yield { blocks: packBlocks(group) };
  else for (const { position, block } of group) yield { block: { position, block } };
}
