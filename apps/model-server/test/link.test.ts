import { createLinkClient } from '@sluice/rpc/link/client';
import type { RawOutcome } from '@sluice/rpc/raw-client';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { adder } from './support/adder.ts';
import { requestOf, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry } from './support/test-registry.ts';

const path = '/inference.GRPCInferenceService/ModelInfer';
let registry: TestRegistry;
let runtime: TestRuntime;
beforeAll(async () => {
  registry = await new TestRegistry().start();
  registry.place(adder(1));
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready();
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

it('inferences over the link have the answers, the failures and the counts of calls one by one', async () => {
  const logger = createLogger({ service: 't', instance: 't1', level: 'silent' });
  const client = createLinkClient({ address: runtime.address, clock: systemClock, random: systemRandom, logger });
  const send = (bytes: Uint8Array): Promise<RawOutcome> =>
    new Promise((resolve) => void client.call(path, bytes, { deadlineMs: Date.now() + 20_000 }, resolve));
  const { model } = adder(1);
  const requests = Array.from({ length: 200 }, (_, index) => requestOf(model, 'FP32', [1, 3], [index, 1, 2]));
  const linked = await Promise.all(requests.map(send));
  for (const [index, outcome] of linked.entries())
    expect(outcome.message?.equals((await runtime.send(requests[index]!)).message!)).toBe(true);
  const wrong = [requestOf('nobody', 'FP32', [1, 3], [0, 1, 2]), requestOf(model, 'FP32', [1, 2], [0, 1])];
  for (const bytes of wrong) {
    const [here, there] = [await send(bytes), await runtime.send(bytes)];
    expect(here.error).toMatchObject({ kind: there.error!.kind, message: there.error!.message, origin: 'answered' });
  }
  const metrics = await runtime.metrics();
  expect(metrics).toMatch(
    /sluice_requests_total\{method="inference.GRPCInferenceService\/ModelInfer",code="OK"\S* 400/,
  );
  client.close();
  await eventually(async () => {
    expect(await runtime.metrics()).toMatch(
      /sluice_requests_in_flight\{method="sluice.runtime.v1.RuntimeService\/Link"\S* 0/,
    );
  });
});
