import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { inferenceService } from '@sluice/contracts/services';
import { SluiceError } from '@sluice/domain/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferPath } from '../src/route/forward.ts';
import { wireModel, wireRoutes } from './routes.ts';
import { inferBytes, temporaryFolder, testRegistry, testRouter, testRuntime, whenUp } from './world.ts';

// eslint-disable-next-line no-restricted-syntax -- the number of runs is a setting of the test run, not of a service
const propertyRuns = Number(process.env['SLUICE_PROPERTY_RUNS'] ?? 1000);

async function setUp(settings: Readonly<Record<string, string>> = {}) {
  const runtime = await testRuntime({ id: 'r1', loaded: [['digits', 3, true]] });
  const digits = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3] });
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses: [runtime.address] }));
  const stateDir = await temporaryFolder();
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir, ...settings });
  await whenUp(router, 1);
  return { router, runtime };
}

describe('bad messages', () => {
  it('get one clear status that names the field, and never reach a runtime', async () => {
    const { router, runtime } = await setUp();
    const good = inferBytes({ id: 'x' });
    const cases: [Uint8Array, string, string][] = [
      [good.subarray(0, good.length - 1), 'invalid-argument', 'raw_input_contents at byte'],
      [Buffer.from('not a protobuf message at all'), 'invalid-argument', 'ModelInferRequest is malformed'],
      [Buffer.from([0x0a, 0x02, 0xff, 0xfe]), 'invalid-argument', 'model_name at byte 2: the text is not valid UTF-8'],
      [Buffer.from([0x08, 0x01]), 'invalid-argument', 'model_name at byte 1: expected wire type 2'],
      [Buffer.alloc(0), 'invalid-argument', 'model_name: expected the name of a model'],
    ];
    for (const [bytes, kind, message] of cases) {
      const { error, trailer } = await router.send(bytes).then((outcome) => ({
        error: outcome.error,
        trailer: outcome.trailer('sluice-prediction-id'),
      }));
      expect([error?.kind, error?.message]).toEqual([kind, expect.stringContaining(message)]);
      expect(trailer).toBeDefined();
    }
    expect(runtime.seen.requests).toBe(0);
  });

  it('of more than the limit are RESOURCE_EXHAUSTED, at the limit they pass', async () => {
    const { router } = await setUp({ SLUICE_MAX_MESSAGE_BYTES: '4096' });
    const padded = (size: number) => {
      const request = inferBytes({ id: 'x' });
      // An unknown field of the missing length: tag 2, two bytes of length.
      const length = size - request.length - 4;
      return Buffer.concat([
        request,
        Buffer.from([0x9a, 0x06, 0x80 | (length & 0x7f), length >> 7]),
        Buffer.alloc(length),
      ]);
    };
    expect(padded(4096)).toHaveLength(4096);
    expect((await router.send(padded(4096))).error?.message).toBeUndefined();
    expect((await router.send(padded(4097))).error?.kind).toBe('resource-exhausted');
    expect((await router.infer()).outcome).toBe('ok');
  });
});

const mutation = fc.array(fc.tuple(fc.nat(4), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255), fc.nat(12)), {
  minLength: 1,
  maxLength: 4,
});

function mutate(bytes: Uint8Array, steps: readonly (readonly [number, number, number, number])[]): Uint8Array {
  let list = [...bytes];
  for (const [kind, where, byte, count] of steps) {
    const at = Math.floor(where * list.length);
    if (kind === 0) list = list.slice(0, at);
    else if (kind === 1 && list.length > 0) list[Math.min(at, list.length - 1)] = byte;
    else if (kind === 2) list.splice(at, 0, byte);
    else if (kind === 3) list.splice(at, count);
    else list.splice(at, 0, ...list.slice(at, at + count));
  }
  return Uint8Array.from(list);
}

/** The same request in typed contents. */
function typedBytes(): Buffer {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [2, 2], contents: { fp32Contents: [1, 2, 3, 4] } }];
  const parameters = { k: { stringParam: 'v' } };
  const method = Object.values(inferenceService.definition).find(({ path }) => path === inferPath)!;
  return method.requestSerialize({ modelName: 'digits', id: 'call', parameters, inputs });
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that are in use, buffers too. */
function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const forms = {
  raw: inferBytes({ id: 'call', parameters: { k: { kind: 'string', value: 'v' } }, values: [1, 2, 3, 4] }),
  typed: typedBytes(),
};

describe.each(Object.entries(forms))('mutated requests in %s contents', (_form, good) => {
  it('leave no memory behind', { timeout: 60_000 }, async () => {
    const { router } = await setUp();
    const send = async (seed: number): Promise<void> => {
      const samples = fc.sample(mutation, { numRuns: 1_000, seed });
      for (let at = 0; at < samples.length; at += 50)
        await Promise.all(samples.slice(at, at + 50).map((steps) => router.send(mutate(good, steps))));
    };
    // Once, so that all that is made once and kept is there.
    await send(1);
    const before = bytesInUse();
    await send(2);
    expect(bytesInUse() - before).toBeLessThan(8 * 1024 * 1024);
  });

  it('are each answered, and leave nothing in flight', { timeout: 60_000 + 10 * propertyRuns }, async () => {
    const { router } = await setUp();
    expect((await router.send(good)).error?.message).toBeUndefined();
    const outcomes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 10, maxLength: 10 }), async (mutations) => {
        const answers = await Promise.all(mutations.map((steps) => router.send(mutate(good, steps))));
        for (const { error, message } of answers) {
          expect(error === undefined).toBe(message !== undefined);
          const kind = error instanceof SluiceError ? error.kind : 'ok';
          outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
        }
      }),
      { numRuns: Math.ceil(propertyRuns / 10) },
    );
    // A runtime's own clear refusals and unknown models are expected; defects and lost connections are not.
    const allowed = ['ok', 'invalid-argument', 'not-found'];
    expect([...outcomes.keys()].filter((kind) => !allowed.includes(kind))).toEqual([]);
    expect(outcomes.get('invalid-argument')).toBeGreaterThan(propertyRuns / 10);
    expect((await router.infer()).outcome).toBe('ok');
    const state = await router.state();
    expect(state.inFlight).toMatchObject({ requests: 0, bytes: 0 });
    expect(state.runtimes.map((runtime) => [runtime.state, runtime.inFlight])).toEqual([['up', 0]]);
  });
});
