import { once } from 'node:events';
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { inferenceService } from '@sluice/contracts/services';
import type { GRPCInferenceServiceMethods, RequestOutput } from '@sluice/contracts/services';
import { statusCodes, type StatusName } from '@sluice/rpc/status';
import { FrameReader, framed } from './frames.ts';

export type InferRequest = RequestOutput<GRPCInferenceServiceMethods['modelInfer']>;

/** How a request ends that is not answered. */
export class Refusal extends Error {
  readonly status: StatusName;

  constructor(status: StatusName, message: string) {
    super(message);
    this.status = status;
  }
}

export interface ForeignServer {
  readonly address: string;
  /** Methods that were called, by how often. */
  readonly calls: Readonly<Record<string, number>>;
  /** What its last caller says that it is, by method. */
  readonly agents: Readonly<Record<string, string | undefined>>;
  /** Inferences, in the order in which they came. */
  readonly requests: readonly InferRequest[];
  /** Answers or throws; by default every request is answered at once. */
  handle: (request: InferRequest, number: number) => object | Promise<object>;
  /** Resets every connection, as a server that dies. */
  readonly breakOff: () => void;
  readonly close: () => Promise<void>;
}

/** What one method answers; a Refusal thrown is its status. */
type Method = (request: never) => object | Promise<object>;

/**
 * A server of the Open Inference Protocol that is none of ours: Node's HTTP/2 and protobufjs, the four methods that every server has, and
 * UNIMPLEMENTED for what else there is.
 */
export async function startForeignServer(): Promise<ForeignServer> {
  const sockets = new Set<Socket>();
  const calls: Record<string, number> = {};
  const agents: Record<string, string | undefined> = {};
  const requests: InferRequest[] = [];
  const infer = async (request: InferRequest): Promise<object> => {
    requests.push(request);
    return foreign.handle(request, requests.length);
  };
  const methods: Readonly<Record<string, Method>> = {
    ServerMetadata: () => ({ name: 'foreign', version: '9', extensions: [] }),
    ModelMetadata: ({ name }: { name: string }) => {
      if (name !== 'adder') throw new Refusal('NOT_FOUND', `no model ${name}`);
      return { name, versions: ['1'], platform: 'any', inputs: [tensor('x')], outputs: [tensor('y')] };
    },
    ModelInfer: infer,
  };
  const server = createServer();
  server.on('session', (session: ServerHttp2Session) => session.on('error', () => undefined));
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: Record<string, unknown>) => {
    const name = String(headers[':path']).split('/').at(-1)!;
    calls[name] = (calls[name] ?? 0) + 1;
    agents[name] = headers['user-agent'] as string | undefined;
    stream.on('error', () => undefined);
    if (name === 'ModelStreamInfer') serveStream(stream, infer);
    else serveUnary(stream, name, methods[name]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const foreign: ForeignServer = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    agents,
    requests,
    handle: ({ modelName, id }) => ({ modelName, modelVersion: '1', id, outputs: [], rawOutputContents: [] }),
    breakOff: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close: async () => {
      foreign.breakOff();
      server.close();
    },
  };
  return foreign;
}

const tensor = (name: string) => ({ name, datatype: 'FP32', shape: [-1, 2] });

const definitionOf = (name: string) => inferenceService.definition[name]!;

const statusOf = (error: unknown) =>
  error instanceof Refusal
    ? { 'grpc-status': String(statusCodes[error.status]), 'grpc-message': encodeURIComponent(error.message) }
    : { 'grpc-status': '2', 'grpc-message': encodeURIComponent(String(error)) };

function serveUnary(stream: ServerHttp2Stream, name: string, method: Method | undefined): void {
  const messages = new FrameReader();
  const { requestDeserialize, responseSerialize } = definitionOf(name);
  const answer = async (bytes: Buffer): Promise<void> => {
    try {
      if (method === undefined) throw new Refusal('UNIMPLEMENTED', name);
      const response = framed(responseSerialize(await method(requestDeserialize(bytes) as never)));
      if (stream.destroyed) return;
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(response);
    } catch (error) {
      // Headers alone, as many servers answer a failure.
      if (!stream.destroyed)
        stream.respond({ 'content-type': 'application/grpc', ...statusOf(error) }, { endStream: true });
    }
  };
  stream.on('data', (chunk: Buffer) => messages.push(chunk, (bytes) => void answer(bytes)));
}

function serveStream(stream: ServerHttp2Stream, infer: (request: InferRequest) => Promise<object>): void {
  const messages = new FrameReader();
  const { requestDeserialize, responseSerialize } = definitionOf('ModelStreamInfer');
  stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.on('end', () => stream.end());
  const answer = async (bytes: Buffer): Promise<void> => {
    const request = requestDeserialize(bytes) as InferRequest;
    const response = await infer(request).then(
      (inferResponse) => ({ inferResponse }),
      (error: unknown) => ({ errorMessage: String(error), inferResponse: { id: request.id } }),
    );
    if (!stream.destroyed) stream.write(framed(responseSerialize(response)));
  };
  stream.on('data', (chunk: Buffer) => messages.push(chunk, (bytes) => void answer(bytes)));
}
