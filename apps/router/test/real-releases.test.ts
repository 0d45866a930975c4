import { attribute, graph, model, node, onnxTypes, tensor, value } from '@sluice/testkit/onnx-builder';
import { eventually } from '@sluice/testkit/eventually';
import { expect, it } from 'vitest';
import { modelServer } from './model-server.ts';
import { Placement } from './placement.ts';
import { wireModel, wireRoutes } from './routes.ts';
import { temporaryFolder, testRegistry, testRouter } from './world.ts';
import type { InferOptions } from './world.ts';

const ends = (name: string) => value(name, 'FP32', ['batch', 2]);
const asItIs = model({
  graph: graph({ nodes: [node('Identity', ['x'], ['y'])], inputs: [ends('x')], outputs: [ends('y')] }),
});
/** Looks x up in a table of two: it fails on any other than 0 and 1. */
const lookUp = model({
  graph: graph({
    nodes: [
      node('Cast', ['x'], ['index'], [attribute.int('to', onnxTypes.INT64)]),
      node('Gather', ['table', 'index'], ['y']),
    ],
    inputs: [ends('x')],
    outputs: [ends('y')],
    initializers: [tensor('table', 'FP32', [2], [10, 20])],
  }),
});
const versions = { 3: asItIs, 4: lookUp, 5: lookUp };
const digits = wireModel({
  release: { arms: { primary: [3, 'PRIMARY', 1], candidate: [4, 'CANDIDATE', 1], s: [5, 'SHADOW', 1] } },
  placed: [3, 4, 5],
});

it("a real model-server runs candidate, primary in its place, and shadow, whose failures are nobody else's", async () => {
  const registry = await testRegistry(wireRoutes(7, [digits]), new Placement([3, 4, 5], versions));
  const server = await modelServer('r1', registry.address);
  registry.publish(
    wireRoutes(8, [digits], { snapshot: false, addresses: [server.address] }),
    wireRoutes(8, [digits], { addresses: [server.address] }),
  );
  const stateDir = await temporaryFolder();
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir });
  await eventually(async () => {
    const ready = (await router.state()).runtimes.flatMap((runtime) => runtime.ready);
    expect(ready.toSorted()).toEqual(['digits@3', 'digits@4', 'digits@5']);
  }, 60_000);
  const ask = async (values: readonly number[], metadata: NonNullable<InferOptions['metadata']>): Promise<string> => {
    const result = await router.infer({ values, metadata });
    const arm = result.response?.parameters.get('sluice_arm');
    return `${result.outcome} ${result.values.join(',')} ${arm?.kind === 'string' ? arm.value : ''}`;
  };
  const [ofCandidate, ofPrimary] = [{ 'sluice-unit': 'user-1' }, { 'sluice-unit': 'user-2' }];
  expect(await ask([0, 1], ofCandidate)).toBe('ok 10,20 candidate');
  expect(await ask([0, 1], ofPrimary)).toBe('ok 0,1 primary');
  expect(await ask([7, 1], ofCandidate)).toBe('ok 7,1 primary');
  expect(await ask([7, 1], { 'sluice-arm': 'candidate' })).toBe('model-failed  ');
  await eventually(async () => {
    const text = await (await fetch(`http://127.0.0.1:${router.ports['metricsPort']!}/metrics`)).text();
    const ended = text.split('\n').filter((line) => /^sluice_router_arm_inferences_total.*arm="s"/.test(line));
    const counts = ended.map((line) => `${/outcome="([^"]*)"/.exec(line)![1]} ${line.split(' ').at(-1)}`);
    // What was answered, by whatever arm: of these it fails on the third.
    expect(counts).toEqual(['ok 2', 'model-failed 1']);
  });
});
