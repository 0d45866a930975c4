import { adapt } from '../src/grpc/adapt.ts';
import type { ServerCall } from '../src/grpc/server-call.ts';
import type { DuplexSurface, ReadableSurface, UnarySurface, WritableSurface } from '../src/grpc/surfaces.ts';
import type { MethodName } from './grpc-side.ts';

const big = Buffer.alloc(20_000, 'big');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Send = (error: object | null, value?: Buffer) => void;
type Got = (octets: Buffer) => void;

/** Handlers of grpc-js's shape, of all four kinds; each tells what it got. */
const handlers = {
  Unary: (got: Got) => (call: UnarySurface, send: Send) => {
    got(call.request as Buffer);
    send(null, call.request as Buffer);
  },
  Echo: (got: Got) => (call: DuplexSurface) => {
    call.on('data', (octets: Buffer) => {
      got(octets);
      call.write(octets);
    });
    call.on('end', () => call.end());
  },
  Held: (got: Got) => async (call: DuplexSurface) => {
    for await (const octets of call) {
      await turn();
      got(octets as Buffer);
      call.write(octets);
    }
    call.end();
  },
  Big: (got: Got) => async (call: ReadableSurface, send: Send) => {
    for await (const octets of call) got(octets as Buffer);
    send(null, big);
  },
  Late: (got: Got) => async (call: WritableSurface) => {
    got(call.request as Buffer);
    for (let count = 0; count < 3 && !call.cancelled; count++) {
      call.write(big);
      await turn();
    }
    call.end();
  },
  Early: (got: Got) => (call: DuplexSurface) => {
    call.once('data', (octets: Buffer) => {
      got(octets);
      call.emit('error', { code: 10, details: 'enough' });
    });
  },
  Never: () => () => undefined,
} satisfies Record<MethodName, (got: Got) => (call: never, send: Send) => unknown>;

const streams: Readonly<Record<MethodName, readonly [request: boolean, response: boolean]>> = {
  Unary: [false, false],
  Echo: [true, true],
  Held: [true, true],
  Big: [true, false],
  Late: [false, true],
  Early: [true, true],
  Never: [true, true],
};

/** Begins a call as a method of a service begins one. @param got messages, when their handler has them */
export function beginOnSurface(name: MethodName, call: ServerCall, got: Got): void {
  const identity = (octets: Buffer): Buffer => octets;
  const [requestStream, responseStream] = streams[name];
  const definition = { path: '', requestStream, responseStream };
  const codec = { requestDeserialize: identity, responseSerialize: identity };
  adapt({ ...definition, ...codec }, handlers[name](got) as never)(call);
}
