import type { Logger } from '@sluice/service-kit/logger';
import { createLogger } from '@sluice/service-kit/logger';

/** A logger whose lines can be looked at. */
export function recordingLogger(): { readonly logger: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { logger: createLogger({ service: 'router', instance: 'router-1', level: 'debug', stream }), lines };
}

/** Lets everything that only waits for promises go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A stream that a test feeds, one for each time that it is opened. */
export class FedStreams<Request, Message> {
  readonly opened: { readonly request: Request; readonly signal: AbortSignal }[] = [];
  #feed: Feed<Message> | undefined;

  readonly open = (request: Request, signal: AbortSignal): AsyncIterable<Message> => {
    this.opened.push({ request, signal });
    this.#feed = new Feed<Message>();
    signal.addEventListener('abort', () => this.#feed?.fail(new Error('aborted')), { once: true });
    return this.#feed;
  };

  send(message: Message): void {
    this.#feed!.push(message);
  }
  end(): void {
    this.#feed!.end();
  }
  fail(error = new Error('connection lost')): void {
    this.#feed!.fail(error);
  }
}

class Feed<Message> implements AsyncIterable<Message> {
  readonly #steps: (() => IteratorResult<Message>)[] = [];
  #wake: (() => void) | undefined;

  push(value: Message): void {
    this.#step(() => ({ value, done: false }));
  }
  end(): void {
    this.#step(() => ({ value: undefined, done: true }));
  }
  fail(error: Error): void {
    this.#step(() => {
      throw error;
    });
  }

  #step(step: () => IteratorResult<Message>): void {
    this.#steps.push(step);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    for (;;) {
      const step = this.#steps.shift();
      if (step) {
        const result = step();
        if (result.done) return;
        yield result.value;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }
}
