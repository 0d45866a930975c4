import { adminService, inferenceService } from '@sluice/contracts/services';
import type { AdminServiceMethods, GRPCInferenceServiceMethods } from '@sluice/contracts/services';
import { describe, expect, it } from 'vitest';
import { echoCodec } from '../test/echo-codec.ts';
import {
  checkedActor,
  isRaw,
  isRawStream,
  isUnimplemented,
  isWatch,
  raw,
  rawStream,
  unimplemented,
  watch,
} from './handlers.ts';
import type { Handlers } from './handlers.ts';
import type { RpcServer } from './server.ts';

/** Never called: the compiler is the test. */
export function misuse(server: RpcServer): void {
  const getState = async () => ({ service: 'x' });
  server.addService(adminService, { getState });
  server.addService(adminService, { getState: raw(() => undefined) });
  server.addService(adminService, { getState: unimplemented('no') });
  // @ts-expect-error a missing method
  server.addService(adminService, {});
  // @ts-expect-error a misspelt method
  server.addService(adminService, { getStat: getState });
  const tooMany = { getState, getStates: getState };
  // @ts-expect-error a method too many, also where the object is not a literal
  server.addService(adminService, tooMany);
  // @ts-expect-error an answer that does not fit
  server.addService(adminService, { getState: async () => ({ service: 7 }) });
  // @ts-expect-error an answer that is not a promise
  server.addService(adminService, { getState: () => ({ service: 'x' }) });
  const getStream = watch(async function* () {
    yield {};
  });
  // @ts-expect-error a stream where one answer is due
  server.addService(adminService, { getState: getStream });
  const handlers: Handlers<AdminServiceMethods> = {
    getState: async (request) => ({ stateJson: JSON.stringify(request) }),
  };
  server.addService(adminService, handlers);
  const streamed = rawStream((_request, call) => call.respond(Buffer.alloc(0)), { codec: echoCodec, maxInFlight: 1 });
  // @ts-expect-error a stream of requests where one is due
  server.addService(adminService, { getState: streamed });
  const others = {} as Omit<Handlers<GRPCInferenceServiceMethods>, 'modelStreamInfer'>;
  server.addService(inferenceService, { ...others, modelStreamInfer: streamed });
  // @ts-expect-error a unary method's bytes where a stream is due
  server.addService(inferenceService, { ...others, modelStreamInfer: raw(() => undefined) });
}

describe('the marks of handlers', () => {
  const all = [
    async () => ({}),
    raw(() => undefined),
    watch(async function* () {
      yield {};
    }),
    unimplemented('no'),
    rawStream(() => undefined, { codec: echoCodec, maxInFlight: 1 }),
  ];

  it('are told apart', () => {
    expect(all.map(isRaw)).toEqual([false, true, false, false, false]);
    expect(all.map(isWatch)).toEqual([false, false, true, false, false]);
    expect(all.map(isUnimplemented)).toEqual([false, false, false, true, false]);
    expect(all.map(isRawStream)).toEqual([false, false, false, false, true]);
  });
});

describe('checkedActor', () => {
  it.each([
    [undefined, 'anonymous'],
    ['', 'anonymous'],
    ['ada', 'ada'],
    ['%C3%85sa', 'Åsa'],
    ['100%', '100%'],
  ])('reads %s as %s', (value, expected) => expect(checkedActor(value)).toBe(expected));

  it('takes 256 bytes and refuses 257', () => {
    expect(checkedActor('x'.repeat(256))).toHaveLength(256);
    expect(() => checkedActor('x'.repeat(257))).toThrow('metadata sluice-actor has 257 bytes');
  });
});
