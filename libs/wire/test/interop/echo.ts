import type { ServiceDefinition } from '../../src/grpc/adapt.ts';
import { WireServer } from '../../src/server/wire-server.ts';
import type { WireServerOptions } from '../../src/server/wire-server.ts';
import type { TlsSource } from '../../src/tls.ts';
import { Client, Metadata, credentials, systemClock } from '../peers.ts';
import type { ServiceError } from '../peers.ts';

/** Run in reverse behind each test; a test file gives it to `afterEach`. */
const cleanups: (() => unknown)[] = [];
export const cleanUp = async (): Promise<void> => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
};
export const later = (cleanup: () => unknown): void => void cleanups.push(cleanup);

/** Tests of real peers have to wait for real time here and there. */
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => systemClock.schedule(ms, resolve));

export const identity = (octets: Buffer): Buffer => octets;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  ...{ requestStream, responseStream },
  ...{ requestSerialize: identity, requestDeserialize: identity },
  ...{ responseSerialize: identity, responseDeserialize: identity },
});
/** As in echo.proto, with bytes for messages. */
export const echo = {
  Unary: method('Unary', false, false),
  Download: method('Download', false, true),
  Upload: method('Upload', true, false),
  Chat: method('Chat', true, true),
} satisfies ServiceDefinition;

/** As a handler of grpc-js sees its call. */
export interface Call extends NodeJS.EventEmitter, AsyncIterable<Buffer> {
  readonly request: Buffer;
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  write(octets: Buffer): boolean;
  end(trailers?: Metadata): void;
  sendMetadata(metadata: Metadata): void;
}
export type Send = (error: object | null, value?: Buffer, trailers?: Metadata) => void;

/** How often what happened. */
export interface Counts {
  started: number;
  cancelled: number;
}

/** What a caller asked for by metadata: "head-…" comes back before the answer, "tail-…" behind it. */
function answerMetadata(call: Call, prefix: string): Metadata {
  const answer = new Metadata();
  for (const key of Object.keys(call.metadata.getMap()))
    if (key.startsWith(prefix)) for (const value of call.metadata.get(key)) answer.add(key, value);
  return answer;
}

const asked = (call: Call, key: string): number => Number(call.metadata.get(key)[0] ?? 0);

/** `x-wait-ms`, `x-status` and `x-count` (answers of a download) say what is to be done. */
function handlers(counts: Counts) {
  const begin = (call: Call): void => {
    counts.started++;
    call.on('cancelled', () => counts.cancelled++);
    const head = answerMetadata(call, 'head-');
    if (Object.keys(head.getMap()).length > 0) call.sendMetadata(head);
  };
  return {
    unary: (call: Call, send: Send): void => {
      begin(call);
      const code = asked(call, 'x-status');
      const answer = (): void => {
        if (call.cancelled) return;
        if (code === 0) send(null, call.request, answerMetadata(call, 'tail-'));
        else send({ code, details: 'wie gewünscht: 100 % →', metadata: answerMetadata(call, 'tail-') });
      };
      const waitMs = asked(call, 'x-wait-ms');
      if (waitMs === 0) answer();
      else systemClock.schedule(waitMs, answer);
    },
    download: async (call: Call): Promise<void> => {
      begin(call);
      let go: () => void = () => undefined;
      for (const event of ['drain', 'close']) call.on(event, () => go());
      for (let left = asked(call, 'x-count'); left > 0 && !call.cancelled; left--)
        if (!call.write(call.request)) await new Promise<void>((resolve) => (go = resolve));
      const waitMs = asked(call, 'x-wait-ms');
      if (waitMs > 0) await sleep(waitMs);
      call.end(answerMetadata(call, 'tail-'));
    },
    upload: async (call: Call, send: Send): Promise<void> => {
      begin(call);
      const all: Buffer[] = [];
      for await (const octets of call) all.push(octets);
      send(null, Buffer.concat(all), answerMetadata(call, 'tail-'));
    },
    chat: (call: Call): void => {
      begin(call);
      call.on('data', (octets: Buffer) => call.write(octets));
      call.on('end', () => call.end(answerMetadata(call, 'tail-')));
    },
  };
}

/** A server with the service, and what it says of itself. */
export interface Served {
  readonly wire: WireServer;
  readonly port: number;
  readonly address: string;
  readonly counts: Counts;
  /** What connections failed of, a line each. */
  readonly failures: string[];
}

export async function serve(
  options: Partial<WireServerOptions> = {},
  others: object = {},
  prepare: (wire: WireServer) => void = () => undefined,
  tls?: TlsSource,
): Promise<Served> {
  const failures: string[] = [];
  const counts = { started: 0, cancelled: 0 };
  const connectionFailed = (_peer: string, error: Error): void => void failures.push(error.message);
  const wire = new WireServer({ clock: systemClock, events: { connectionFailed }, ...options });
  wire.addService(named(echo), { ...handlers(counts), ...others });
  prepare(wire);
  const port = await wire.listen('127.0.0.1', 0, tls);
  later(async () => {
    wire.close();
    await wire.stop();
  });
  return { wire, port, address: `127.0.0.1:${port}`, counts, failures };
}

/** With the names by which handlers go. */
const named = (definition: ServiceDefinition): ServiceDefinition =>
  Object.fromEntries(
    Object.entries(definition).map(([name, each]) => [name, { ...each, originalName: name.toLowerCase() }]),
  );

export function grpcJsClient(address: string, options: object = {}): Client {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    ...options,
  });
  later(() => client.close());
  return client;
}

/** A unary call of grpc-js that must be answered in time. */
export const unary = (
  client: Client,
  request: Buffer,
  { timeoutMs = 5000, path = echo.Unary.path }: { timeoutMs?: number; path?: string } = {},
): Promise<{ readonly value: Buffer | undefined; readonly error: ServiceError | undefined }> =>
  new Promise((resolve) => {
    const options = { deadline: Date.now() + timeoutMs };
    client.makeUnaryRequest(path, identity, identity, request, new Metadata(), options, (error, value) =>
      resolve({ value, error: error ?? undefined }),
    );
  });
