import { inferenceService } from '@sluice/contracts/services';
import { createRawClient } from '@sluice/rpc/raw-client';
import { RpcError } from '@sluice/rpc/status';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import { onEnd, temporaryFolder, testRegistry, testRouter, testRuntime, whenUp } from './world.ts';

async function setUp(settings: Readonly<Record<string, string>> = {}) {
  const runtime = await testRuntime({ id: 'r1', loaded: [['digits', 3, true]] });
  const digits = wireModel({ aliases: { champion: 3, old: 1 }, release: 3, placed: [2, 3], unplaced: [1] });
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses: [runtime.address] }));
  const stateDir = await temporaryFolder();
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir, ...settings });
  await whenUp(router, 1);
  return { router, runtime, registry };
}

async function failure(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  return error instanceof RpcError ? `${error.kind}: ${error.message}` : String(error);
}

describe('the inference service', () => {
  it('says what is ready: by release, number and alias; the unknown is not ready', async () => {
    const { client } = (await setUp()).router;
    const ready = async (name: string, version: string) => (await client.modelReady({ name, version })).ready;
    expect(await ready('digits', '')).toBe(true);
    expect(await ready('digits', 'champion')).toBe(true);
    expect(await ready('digits', '3')).toBe(true);
    expect(await ready('digits', '2')).toBe(false);
    expect(await ready('digits', 'old')).toBe(false);
    expect(await ready('digits', '9')).toBe(false);
    expect(await ready('nope', '')).toBe(false);
    expect(await failure(client.modelReady({ name: 'digits', version: '!' }))).toContain('invalid-argument');
  });

  it('describes a version', async () => {
    const { client } = (await setUp()).router;
    expect(await client.modelMetadata({ name: 'digits', version: 'champion' })).toEqual({
      name: 'digits',
      versions: ['2', '3'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '2'] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: ['-1', '2'] }],
      properties: { version: '3', digest: 'd3' },
    });
    expect(await failure(client.modelMetadata({ name: 'nope' }))).toContain(
      "not-found: Request for unknown model: 'nope'",
    );
    expect(await failure(client.modelMetadata({ name: 'digits', version: '1' }))).toContain(
      'unavailable: digits version 1',
    );
  });

  it('describes itself', async () => {
    const { client } = (await setUp()).router;
    expect(await client.serverMetadata({})).toEqual({
      // Clients of Triton look for its name; another can be set.
      name: 'triton',
      version: '0.1.0',
      extensions: [
        'classification',
        'model_configuration',
        'model_repository',
        'model_repository(unload_dependents)',
        'parameters',
        'schedule_policy',
        'sequence',
        'statistics',
      ],
    });
    expect((await client.serverLive({})).live).toBe(true);
    expect((await client.serverReady({})).ready).toBe(true);
  });

  it('names the methods that it does not have', async () => {
    const { client } = (await setUp()).router;
    expect(await failure(client.traceSetting({}))).toContain('unimplemented: TraceSetting');
    const methods = Object.keys(inferenceService.definition);
    expect(methods).toHaveLength(20);
  });
});

describe('health', () => {
  it('serves once there are routes and a runtime, and not when the last one is gone', async () => {
    const { router, runtime } = await setUp();
    const raw = createRawClient(`127.0.0.1:${router.ports['port']!}`);
    onEnd(() => raw.close());
    const check = (service: string): Promise<number | undefined> =>
      new Promise((resolve) => {
        const request = Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]);
        const options = { deadlineMs: Date.now() + 5_000 };
        raw.call('/grpc.health.v1.Health/Check', request, options, ({ message }) => resolve(message?.[1]));
      });
    const [serving, notServing] = [1, 2];
    for (const service of ['', 'inference.GRPCInferenceService']) expect(await check(service)).toBe(serving);
    runtime.setStatus([['digits', 3, true]], true);
    await eventually(async () => expect(await check('')).toBe(notServing));
    expect((await router.client.serverReady({})).ready).toBe(false);
    runtime.setStatus([['digits', 3, true]]);
    await eventually(async () => expect(await check('')).toBe(serving));
  });
});

describe('the other ports', () => {
  it('show state, and metrics of inferences and failed attempts', async () => {
    const { router } = await setUp();
    expect((await router.infer()).outcome).toBe('ok');
    await router.infer({ parameters: { test_fail: { kind: 'string', value: 'internal' } } });
    const state = await router.state();
    expect(state).toMatchObject({
      ready: true,
      registry: { watching: true },
      revision: 7,
      models: [{ name: 'digits', placed: [{ version: 2, readyOn: [] }, { version: 3 }], unplaced: [1] }],
      runtimes: [{ state: 'up', runtimeId: 'r1', ready: ['digits@3'], inFlight: 0 }],
      inFlight: { requests: 0, bytes: 0, turnedAway: 0 },
    });
    const answer = await fetch(`http://127.0.0.1:${router.ports['metricsPort']!}/metrics`);
    const text = await answer.text();
    const value = (name: string, ...labels: string[]) =>
      text
        .split('\n')
        .find((line) => line.startsWith(name) && labels.every((label) => line.includes(label)))
        ?.split(' ')
        .at(-1);
    expect(value('sluice_router_inferences_total', 'model="digits"', 'version="3"', 'outcome="ok"')).toBe('1');
    expect(value('sluice_router_inferences_total', 'version="3"', 'outcome="internal"')).toBe('1');
    expect(value('sluice_router_failed_attempts_total', 'origin="answered"', 'retried="false"')).toBe('1');
    expect(value('sluice_router_runtimes_up')).toBe('1');
    expect(value('sluice_router_table_revision')).toBe('7');
    expect(value('sluice_dependency_up', 'dependency="registry"')).toBe('1');
    expect(value('sluice_requests_total', 'ModelInfer', 'code="OK"')).toBe('1');
  });
});
