import type { TlsSource } from '@sluice/wire/tls';
import type { RawUnaryHandler } from '../handlers.ts';
import type { RefusalRule } from '../refusals.ts';
import type { ServerCore } from '../server-core.ts';

/** The two gRPC stacks that a server can stand on; both take the same handlers. */
export const transports = ['grpc-js', 'wire'] as const;
export type TransportName = (typeof transports)[number];

/** How large answers may be compressed, as a setting. */
export const compressions = ['none', 'gzip', 'deflate'] as const;
export type AnswerCompression = (typeof compressions)[number];

/** A method as a stack takes it: of bytes, with a handler of grpc-js's shape. */
export interface TransportMethod {
  /** With a leading slash. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** `(call, send)`, or `(call)` where the answer is a stream. */
  readonly func: (...args: never[]) => void;
  /** For methods of bytes: the handler itself, without that shape, for a stack that can do with it. */
  readonly raw?: RawUnaryHandler | undefined;
  /** What is said and counted where a call does not reach the handler. */
  readonly refusal: RefusalRule;
}

export interface TransportOptions {
  readonly core: ServerCore;
  readonly maxRequestBytes: number;
  readonly keepaliveMs: number;
  /** Without it, connections are plain. */
  readonly tls: TlsSource | undefined;
  /** How large answers are compressed for callers that take it, by a stack that can do so. */
  readonly answerCompression: AnswerCompression;
}

/** A gRPC stack, as `RpcServer` uses it. */
export interface ServerTransport {
  /** @throws Error for a path that is registered already */
  register(method: TransportMethod): void;
  /**
   * Starts to serve.
   * @returns the port
   * @throws an Error whose message has the system's code, such as EADDRINUSE
   */
  bind(host: string, port: number): Promise<number>;
  /** Takes no more calls; resolves when those that are under way have ended. */
  stop(): Promise<void>;
  /** Ends all connections. */
  force(): void;
}
