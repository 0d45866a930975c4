import { Metadata } from '@grpc/grpc-js';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import { grpcCode } from './grpc-code.ts';
import { handles } from './refusals.ts';
import type { HandledCall } from './refusals.ts';
import type { ServerCore } from './server-core.ts';
import { UnaryLife } from './unary-life.ts';

/** A unary call as handlers of grpc-js's shape get it. */
export class UnaryCall extends UnaryLife implements HandledCall {
  readonly #call: ServerUnaryCall<Buffer, Buffer>;
  readonly #send: sendUnaryData<Buffer>;
  #trailers: Metadata | undefined;
  #peer: string | undefined;

  constructor(
    core: ServerCore,
    stats: MethodStats,
    method: string,
    call: ServerUnaryCall<Buffer, Buffer>,
    send: sendUnaryData<Buffer>,
  ) {
    super(core, stats, method, Number(call.getDeadline()));
    this.#call = call;
    this.#send = send;
    // grpc-js emits it after every end, so it says nothing by itself.
    call.on('cancelled', () => this.refused(1));
    handles(call, this);
  }

  /** Looked up when asked for: most calls never do. */
  get peer(): string {
    return (this.#peer ??= this.#call.getPeer());
  }

  get trailers(): Metadata | undefined {
    return this.#trailers;
  }

  metadata(key: string): string | undefined {
    const value = this.#call.metadata.get(key)[0];
    return typeof value === 'string' ? value : undefined;
  }

  setTrailer(key: string, value: string): void {
    (this.#trailers ??= new Metadata()).set(key, value);
  }

  /** grpc-js has no bound for that. */
  protected mayAnswer(): boolean {
    return true;
  }

  protected sendAnswer(message: Buffer): void {
    this.#send(null, message, this.#trailers);
  }

  protected sendFailure(code: number, details: string): void {
    this.#send({ code: grpcCode(code), details, metadata: (this.#trailers ??= new Metadata()) });
  }
}
