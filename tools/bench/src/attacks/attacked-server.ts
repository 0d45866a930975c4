// A process of its own: a server of libs/wire with its default limits, an echo for honest clients and what attacks call.
import type { EventEmitter } from 'node:events';
import process from 'node:process';
import { systemClock } from '@sluice/service-kit/clock';
import type { ServiceDefinition } from '@sluice/wire/grpc/adapt';
import { WireServer } from '@sluice/wire/server/wire-server';
import { echoPath } from '../echo-path.ts';
import { wireEcho } from '../wire-echo.ts';

/** What handlers use of a call. */
interface Call extends EventEmitter {
  readonly request: Buffer;
  readonly cancelled: boolean;
  readonly metadata: { get(key: string): readonly (string | Buffer)[] };
  write(octets: Buffer): boolean;
  end(): void;
}

const asIs = (octets: Buffer): Buffer => octets;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  ...{ path: `/test.Echo/${name}`, requestStream, responseStream },
  ...{ requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs },
});
const definition = {
  unary: method('Unary', false, false),
  download: method('Download', false, true),
  upload: method('Upload', true, false),
  chat: method('Chat', true, true),
} satisfies ServiceDefinition;

const handlers = {
  unary: (call: Call, send: (error: null, answer: Buffer) => void): void => {
    if (call.metadata.get('x-wait-ms').length === 0) send(null, call.request);
  },
  download: async (call: Call): Promise<void> => {
    let go: () => void = () => undefined;
    for (const event of ['drain', 'close', 'cancelled']) call.on(event, () => go());
    for (let left = Number(call.metadata.get('x-count')[0]); left > 0 && !call.cancelled; left--)
      if (!call.write(call.request)) await new Promise<void>((resolve) => (go = resolve));
    call.end();
  },
  upload: (): void => undefined,
  chat: (call: Call): void => void call.on('data', (octets: Buffer) => call.write(octets)),
};

const server = new WireServer({ clock: systemClock });
server.register(
  echoPath,
  wireEcho(() => undefined),
);
server.addService(definition, handlers);
process.send?.({ port: await server.listen('127.0.0.1', 0) });
process.on('disconnect', () => process.exit(0));
