import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ServingConfig } from '@sluice/contracts/gen/sluice/registry/v1/ServingConfig';
import type { TimeoutAction } from '@sluice/contracts/gen/sluice/registry/v1/TimeoutAction';
import type { Datatype } from '@sluice/domain/datatype';
import { eventually } from '@sluice/testkit/eventually';
import { adder, ask } from './support/adder.ts';
import { identitySignature, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

let registry: TestRegistry;
let runtime: TestRuntime | undefined;

beforeEach(async () => {
  registry = await new TestRegistry().start();
});
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
  await registry.stop();
});

const later = 7 as unknown as TimeoutAction;
const served = (serving: ServingConfig): TestVersion => ({
  ...adder(2),
  serving: { maxBatchSize: 8, device: 'cpu', warmupCount: 0, ...serving },
});

it.each<[what: string, version: TestVersion, reason: string]>([
  ['an action', served({ timeoutAction: later }), 'timeout_action 7'],
  [
    'an action of a level',
    served({ priorityLevels: 1, defaultPriorityLevel: 1, priorityQueuePolicies: [{ level: 1, timeoutAction: later }] }),
    'timeout_action 7',
  ],
  [
    'a source of warm-up values',
    served({ warmupRequests: [{ name: 'w', batchSize: 1, count: 1, inputs: [{ name: 'x', shape: [1, 3] }] }] }),
    'warm-up "w" without values that are known here for input "x"',
  ],
  [
    'a strategy of sequences',
    served({ sequenceBatching: { maxSequenceIdleMicroseconds: 1 } }),
    'a strategy of sequence_batching that is not direct',
  ],
  [
    'a control of sequences',
    served({
      sequenceBatching: {
        direct: {},
        controlInputs: [{ name: 'C', kind: 'CONTROL_KIND_UNSPECIFIED', datatype: 'BOOL' }],
      },
    }),
    'control CONTROL_KIND_UNSPECIFIED',
  ],
  [
    'an initial state',
    served({ sequenceBatching: { direct: {}, states: [{ inputName: 'S', outputName: 'T', datatype: 'FP32' }] } }),
    'an initial state of "S"',
  ],
  [
    'a datatype',
    { ...served({ maxBatchSize: 0, warmupCount: 1 }), signature: identitySignature('FP4' as Datatype, [-1, 3]) },
    'tensor "x" with datatype "FP4"',
  ],
])('does not load a version of which %s is not known here, and follows the others', async (_what, version, known) => {
  registry.place(adder(1, ['champion']), version);
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready();
  const reason = expect.stringMatching(new RegExp(`^the registry sent ${known}.*: upgrade the runtime$`)) as string;
  await eventually(() =>
    expect(registry.leases.at(-1)?.versions).toMatchObject([
      { version: '1', state: 'LOAD_STATE_READY' },
      { version: '2', state: 'LOAD_STATE_FAILED', reason },
    ]),
  );
  const message = expect.stringContaining('upgrade the runtime') as string;
  await expect(runtime.infer(ask('2'))).rejects.toMatchObject({ kind: 'unavailable', message });
  registry.place(version, adder(3, ['champion']));
  await runtime.modelReady('adder', '3');
  expect((await runtime.infer(ask())).modelVersion).toBe('3');
  registry.place(
    { ...adder(2), serving: served({ maxBatchSize: 0, warmupCount: 1 }).serving! },
    adder(3, ['champion']),
  );
  await runtime.modelReady('adder', '2');
});
