import { EventEmitter } from 'node:events';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { SluiceError } from '@sluice/domain/errors';
import { statusCodes, kindOf } from './status.ts';
import { watch } from './handlers.ts';
import type { CallContext } from './handlers.ts';

/** A package that registers grpc-js handlers on a server, such as those of reflection and health. */
export interface Mountable {
  addToServer(server: never): void;
}

export interface ForeignService {
  readonly definition: ServiceDefinition;
  /** By camel-case name, in our shapes. */
  readonly handlers: Readonly<Record<string, unknown>>;
}

/** The services of such a package with handlers in our shapes, so that they go through the one adapter too. */
export function foreignServices(mountable: Mountable): ForeignService[] {
  const services: ForeignService[] = [];
  const server = {
    addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation) {
      const handlers: Record<string, unknown> = {};
      for (const [name, method] of Object.entries(definition)) {
        const key = method.originalName ?? name;
        const foreign = (implementation[name] ?? implementation[key]) as unknown as ForeignHandler;
        if (method.requestStream) handlers[key] = bidi(foreign);
        else handlers[key] = method.responseStream ? watch(serverStream(foreign)) : unary(foreign);
      }
      services.push({ definition, handlers });
    },
  };
  mountable.addToServer(server as never);
  return services;
}

type Callback = (error: { code?: number; details?: string } | null, value?: object | null) => void;
type ForeignHandler = (call: unknown, callback?: Callback) => void;

function unary(foreign: ForeignHandler) {
  return (request: unknown): Promise<object> =>
    new Promise((resolve, reject) => {
      foreign({ request }, (error, value) => {
        if (error === null) resolve(value ?? {});
        else
          reject(
            new SluiceError(kindOf(error.code ?? statusCodes.UNKNOWN), error.details ?? 'the request was refused'),
          );
      });
    });
}

/** What a foreign handler writes, as something to iterate over. */
class Outbox extends EventEmitter {
  readonly #messages: object[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  write(message: object): boolean {
    this.#messages.push(message);
    this.#wake?.();
    return true;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *drain(): AsyncGenerator<object> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) yield message;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

function serverStream(foreign: ForeignHandler) {
  return async function* (request: unknown, ctx: CallContext): AsyncGenerator<object> {
    const call = Object.assign(new Outbox(), { request });
    ctx.signal.addEventListener('abort', () => {
      call.emit('cancelled');
      call.end();
    });
    foreign(call);
    yield* call.drain();
  };
}

function bidi(foreign: ForeignHandler) {
  return async function* (requests: AsyncIterable<unknown>, ctx: CallContext): AsyncGenerator<object> {
    const call = new Outbox();
    let failure: unknown;
    foreign(call);
    const reading = (async () => {
      for await (const request of requests) call.emit('data', request);
      call.emit('end');
    })().catch((error: unknown) => {
      failure = error;
      call.end();
    });
    ctx.signal.addEventListener('abort', () => call.end());
    yield* call.drain();
    await reading;
    if (failure !== undefined) throw SluiceError.from(failure);
  };
}
