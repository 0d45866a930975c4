import type { CallSink, ServerCall } from '@sluice/wire/grpc/server-call';
import type { WireMethod } from '@sluice/wire/server/accept';

class Echo implements CallSink {
  readonly #call: ServerCall;
  readonly #answered: () => void;
  #octets: Buffer | undefined;

  constructor(call: ServerCall, answered: () => void) {
    this.#call = call;
    this.#answered = answered;
  }
  message(octets: Buffer): void {
    this.#octets = octets;
  }
  halfClosed(): void {
    this.#answered();
    this.#call.write(this.#octets!);
    this.#call.finish(0, '');
  }
  cancelled(): void {
    // Nothing is under way for it.
  }
  drained(): void {
    // It writes once.
  }
}

/** A method of libs/wire that sends its request back, raw buffers in and out. @param answered is called for each */
export const wireEcho = (answered: () => void): WireMethod => ({
  begin: (call) => void (call.sink = new Echo(call, answered)),
});
