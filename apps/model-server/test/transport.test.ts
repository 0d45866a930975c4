import { afterEach, expect, it } from 'vitest';
import { largeAnswer } from '@sluice/testkit/large-answer';
import { toldHttp1 } from '@sluice/testkit/told-http1';
import { adder } from './support/adder.ts';
import { requestOf, startRuntime, temporaryFolder } from './support/runtime.ts';
import { TestRegistry } from './support/test-registry.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

it.each(['grpc-js', 'wire'] as const)('serves on %s when that is asked for', async (transport) => {
  const registry = await new TestRegistry().start();
  cleanups.push(() => registry.stop());
  registry.place(adder(1));
  const args = [`--transport=${transport}`, '--answer-compression=gzip'];
  const runtime = await startRuntime({ registry: registry.address, stateDir: temporaryFolder(), args });
  cleanups.push(() => runtime.stop());
  await runtime.ready();
  const outcome = await runtime.send(requestOf('adder', 'FP32', [1, 3], [0, 1, 2]));
  expect(outcome.error).toBeUndefined();
  expect((await toldHttp1(runtime.address)).includes('this port speaks HTTP/2 (gRPC)')).toBe(transport === 'wire');
  expect((await largeAnswer(runtime.address))[0]).toBe(transport === 'wire' ? 1 : 0);
});
