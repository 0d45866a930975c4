import type { IngestRequest__Output } from '@sluice/contracts/gen/sluice/feedback/v1/IngestRequest';
import type { IngestServiceMethods } from '@sluice/contracts/services';
import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { checkText } from '@sluice/domain/text';
import { unpackBlocks } from '@sluice/evidence/packed-blocks';
import type { Handlers } from '@sluice/rpc/handlers';
import type { Spool, SpoolStream } from '../ingest/spool-stream.ts';
import type { SpoolStreams } from '../ingest/spool-streams.ts';
import { readInteger } from './scalars.ts';

/** Version of the protocol of `Ingest` that this software speaks. */
const protocolVersion = 2;
const mostRouterIdBytes = 256;

/** Who is told of spools: orders to erase wait for them. */
export interface SpoolRegister {
  seen(spools: readonly (Spool & { readonly acknowledged: number })[]): Promise<void>;
  applied(spool: Spool, number: number): Promise<void>;
}

/** Handlers of IngestService. */
export function ingestHandlers(streams: SpoolStreams, register: SpoolRegister): Handlers<IngestServiceMethods> {
  const answer = (acknowledged: number) => ({
    ...{ acknowledged, protocolVersion, windowBytes: streams.windowBytes, erasures: streams.erasures },
  });
  return {
    ingest: async function* (requests, { signal }) {
      const messages = requests[Symbol.asyncIterator]();
      const first = await messages.next();
      if (first.done === true) return;
      const spool = readHello(first.value);
      const stream = streams.begin(spool);
      const gone = (): void => stream.close();
      signal.addEventListener('abort', gone, { once: true });
      try {
        await register.seen([{ ...spool, acknowledged: 0 }]);
        yield answer(0);
        void readMessages(messages, stream, register);
        for await (const acknowledged of stream.acknowledgements()) yield answer(acknowledged);
      } finally {
        signal.removeEventListener('abort', gone);
        streams.finish(stream);
      }
    },
  };
}

/** Never rejects: what goes wrong is how the stream ends. */
async function readMessages(
  messages: AsyncIterator<IngestRequest__Output>,
  stream: SpoolStream,
  register: SpoolRegister,
): Promise<void> {
  try {
    for (;;) {
      const next = await messages.next();
      if (next.done === true) break;
      const { block, blocks, erasuresApplied } = next.value;
      if (erasuresApplied) {
        await register.applied(stream.spool, readInteger(erasuresApplied.number, 'erasures_applied.number'));
        continue;
      }
      if (blocks) {
        const position = readInteger(blocks.position, 'blocks.position');
        for (const each of unpackBlocks({ position, blocks: blocks.blocks }))
          if (!(await stream.add(each.position, each.block))) return;
        continue;
      }
      if (!block) throw invalidArgument('message: expected a block; the hello comes once, in the first message');
      if (!(await stream.add(readInteger(block.position, 'block.position'), block.block))) return;
    }
    stream.end();
  } catch (error) {
    stream.fail(error);
  }
}

function readHello({ hello }: IngestRequest__Output): Spool {
  if (!hello) throw invalidArgument('message: expected a hello in the first message of a stream');
  const { spoolId, routerId } = hello;
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(spoolId))
    throw invalidArgument(
      `hello.spool_id: "${clip(spoolId)}" given; expected 1 to 128 of letters, digits, '.', '_' or '-'`,
    );
  if (Buffer.byteLength(routerId) > mostRouterIdBytes)
    throw invalidArgument(
      `hello.router_id: ${Buffer.byteLength(routerId)} bytes given; expected at most ${mostRouterIdBytes}`,
    );
  checkText(routerId, 'hello.router_id');
  if (hello.protocolVersion === 0) throw invalidArgument('hello.protocol_version: 0 or missing; expected 1 or more');
  return { spoolId, routerId };
}
