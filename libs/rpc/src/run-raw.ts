import type { RawCall, RawUnaryHandler } from './handlers.ts';

/** Runs a handler of bytes: what it throws, at once or later, is its call's answer. */
export function runRaw(handler: RawUnaryHandler, request: Buffer, call: RawCall): void {
  try {
    const running: unknown = handler(request, call);
    // Types let an async function pass for one that returns nothing; one that throws must not leave its caller waiting.
    if (running instanceof Promise) running.catch((error: unknown) => call.fail(error));
  } catch (error) {
    call.fail(error);
  }
}
