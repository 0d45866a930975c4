import { openGrpcStream } from '@sluice/testkit/grpc-stream';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import {
  inferBytes,
  onEnd,
  resultOf,
  runtimeProcess,
  temporaryFolder,
  testRegistry,
  testRouter,
  whenUp,
} from './world.ts';

type Method = (this: unknown, ...args: unknown[]) => unknown;
const typedArrays = Object.getPrototypeOf(Uint8Array.prototype) as Record<string, Method>;
const buffers = Buffer.prototype as unknown as Record<string, Method>;
const makers = Buffer as unknown as Record<string, Method>;

/** Smaller things, such as parameters and heads of frames, are no payload. */
const leastBytes = 500;

/** Whether what moves bytes now is the router or its libraries of ours: grpc-js copies too, and so does the test. */
function isOurs(): boolean {
  const [, ...frames] = new Error().stack!.split('\n');
  const from = frames.find((line) => !line.includes('copies.test.ts'));
  return /\/(?:apps\/router|libs\/(?:rpc|inference))\/src\//.test(from ?? '');
}

/** Counts the bytes that our own code moves at once, by all that moves the bytes of a typed array. */
function watchMoves(): { bytes: number } {
  const seen = { bytes: 0 };
  const note = (source: unknown): void => {
    if (!ArrayBuffer.isView(source) || source.byteLength < leastBytes || !isOurs()) return;
    seen.bytes += source.byteLength;
  };
  const watch = (
    holder: Record<string, Method>,
    name: string,
    sources: (self: unknown, args: unknown[]) => unknown[],
  ) => {
    const own = holder[name]!;
    holder[name] = function (this: unknown, ...args) {
      for (const source of sources(this, args)) note(source);
      return Reflect.apply(own, this, args);
    };
    restores.push(() => (holder[name] = own));
  };
  watch(typedArrays, 'set', (_self, [source]) => [source]);
  watch(typedArrays, 'slice', (self) => [self]);
  watch(typedArrays, 'copyWithin', (self) => [self]);
  watch(buffers, 'copy', (self) => [self]);
  watch(makers, 'from', (_self, [source]) => [source]);
  watch(makers, 'concat', (_self, [list]) => list as unknown[]);
  return seen;
}

const restores: (() => void)[] = [];
afterEach(() => {
  for (const restore of restores.splice(0)) restore();
});

const loaded = [['digits', 3, true]] as const;

async function setUp() {
  const runtime = await runtimeProcess('r1', loaded);
  const digits = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3] });
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses: [runtime.address] }));
  const stateDir = await temporaryFolder();
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir });
  await whenUp(router, 1);
  // The first request waits for the link.
  await router.infer();
  return router;
}

const values = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

// The large ones go over the link in chunks.
it.each([
  ['small', 600],
  ['large', 300_000],
])('a %s payload is copied once on its way to a runtime and once on its way back', async (_size, count) => {
  const router = await setUp();
  // Without a version: the router adds the number that it is to be, behind the request.
  const message = inferBytes({ values: values(count) });
  const moved = watchMoves();
  const outcome = await router.send(message);
  expect(resultOf(outcome).values).toEqual(values(count));
  const payload = 4 * count;
  // Two payloads, and what stands around them.
  expect(moved.bytes).toBeGreaterThanOrEqual(2 * payload);
  expect(moved.bytes).toBeLessThan(2 * payload + 1_000);
});

it.each([
  ['small', 600],
  ['large', 300_000],
])('nor is a %s one copied more than once on a stream', async (_size, count) => {
  const router = await setUp();
  const stream = openGrpcStream(
    `127.0.0.1:${router.ports['port']!}`,
    '/inference.GRPCInferenceService/ModelStreamInfer',
  );
  onEnd(() => stream.close());
  const message = inferBytes({ values: values(count) });
  const moved = watchMoves();
  stream.send(message);
  await eventually(() => expect(stream.messages).toHaveLength(1));
  expect(stream.messages[0]!.byteLength).toBeGreaterThan(4 * count);
  expect(moved.bytes).toBeGreaterThanOrEqual(2 * 4 * count);
  expect(moved.bytes).toBeLessThan(2 * 4 * count + 1_000);
});
