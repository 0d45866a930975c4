import type { Metadata } from '@grpc/grpc-js';
import { checkedActor } from './handlers.ts';
import type { CallContext } from './handlers.ts';

/** What a context reads from its call. */
export interface ContextSource {
  readonly method: string;
  readonly peer: string;
  readonly deadlineMs: number | undefined;
  metadata(key: string): string | undefined;
  setTrailer(key: string, value: string): void;
}

/** The context of a typed handler; the signal is made when a handler asks for it. */
export class Context implements CallContext {
  readonly actor: string;
  readonly #source: ContextSource;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  /** @throws SluiceError invalid-argument when `sluice-actor` is too long */
  constructor(source: ContextSource) {
    this.#source = source;
    this.actor = checkedActor(source.metadata('sluice-actor'));
  }

  get method(): string {
    return this.#source.method;
  }
  get peer(): string {
    return this.#source.peer;
  }
  get deadlineMs(): number | undefined {
    return this.#source.deadlineMs;
  }
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  metadata(key: string): string | undefined {
    return this.#source.metadata(key);
  }
  setTrailer(key: string, value: string): void {
    this.#source.setTrailer(key, value);
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }
}

/** The first text value of a metadata key. */
export function textOf(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key)[0];
  return typeof value === 'string' ? value : undefined;
}
