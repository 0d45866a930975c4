// A process of its own: the same echo on libs/wire, raw buffers in and out.
import process from 'node:process';
import { systemClock } from '@sluice/service-kit/clock';
import type { CallSink, ServerCall } from '@sluice/wire/grpc/server-call';
import { WireServer } from '@sluice/wire/server/wire-server';
import { echoPath } from './echo-path.ts';

let answered = 0;

class Echo implements CallSink {
  readonly #call: ServerCall;
  #octets: Buffer | undefined;

  constructor(call: ServerCall) {
    this.#call = call;
  }
  message(octets: Buffer): void {
    this.#octets = octets;
  }
  halfClosed(): void {
    answered++;
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

const server = new WireServer({ clock: systemClock });
server.register(echoPath, { begin: (call) => void (call.sink = new Echo(call)) });
process.send?.({ port: await server.listen('127.0.0.1', 0) });
// Asked anything, it says how many requests it has answered.
process.on('message', () => process.send?.({ answered }));
process.on('disconnect', () => {
  server.close();
});
