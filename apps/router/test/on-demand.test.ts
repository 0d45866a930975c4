import { readInferResponse } from '@sluice/inference/infer-response';
import { eventually } from '@sluice/testkit/eventually';
import { expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import { inferBytes, temporaryFolder, testRegistry, testRouter, testRuntime, whenUp } from './world.ts';

it('sends requests for versions that are ready nowhere to one runtime, the same for every router', async () => {
  const runtimes = await Promise.all(
    ['r1', 'r2', 'r3'].map((id) =>
      testRuntime({
        id,
        loadsOnDemand: true,
        loaded: [
          ['digits', 3, true],
          ['digits', 2, 'on demand', 'no room'],
        ],
      }),
    ),
  );
  const model = wireModel({ aliases: { champion: 3 }, release: 3, placed: [2, 3], unplaced: [1, 4, 5, 6] });
  const addresses = runtimes.map(({ address }) => address);
  const registry = await testRegistry(wireRoutes(7, [model], { addresses }));
  const routers = await Promise.all(
    ['router-1', 'router-2'].map(async (id) => {
      const stateDir = await temporaryFolder();
      const settings = { SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir, SLUICE_INSTANCE_ID: id };
      return testRouter(settings);
    }),
  );
  for (const router of routers) await whenUp(router, 3);
  const where = (version: string) =>
    runtimes.map(({ seen }) => seen.versions.filter((each) => each === version).length);
  for (const version of ['1', '2', '4', '5', '6']) {
    for (const router of routers) {
      for (let count = 0; count < 3; count += 1) {
        const { error, message } = await router.send(inferBytes({ version }));
        expect(error).toBeUndefined();
        expect(readInferResponse(message!).modelVersion).toBe(version);
      }
    }
    expect(where(version).sort()).toEqual([0, 0, 6]);
  }
  const [router] = routers;
  // Nobody has it ready: that is what ready means, and an inference waits all the same.
  expect(await router!.client.modelReady({ name: 'digits', version: '1' })).toEqual({ ready: false });
  expect(await router!.client.modelReady({ name: 'digits', version: '2' })).toEqual({ ready: false });
  expect(await router!.client.modelMetadata({ name: 'digits', version: '2' })).toMatchObject({ versions: ['2', '3'] });
  await expect(router!.client.modelMetadata({ name: 'digits', version: '1' })).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('digits version 1 is not placed: give it an alias') as string,
  });
  const { models } = await router!.client.repositoryIndex({});
  expect(models).toMatchObject([
    ...[{ version: '1', state: 'UNAVAILABLE', reason: 'unloaded' }],
    ...[{ version: '2', state: 'UNAVAILABLE', reason: expect.stringContaining('no room') as string }],
    { version: '3', state: 'READY' },
    ...['4', '5', '6'].map((version) => ({ version, state: 'UNAVAILABLE', reason: 'unloaded' })),
  ]);

  // Once somebody has it, requests go there alone.
  const other = runtimes.findIndex(({ seen }) => !seen.versions.includes('1'));
  runtimes[other]!.setStatus([
    ['digits', 1, true],
    ['digits', 3, true],
  ]);
  await eventually(async () => {
    expect(await router!.client.modelReady({ name: 'digits', version: '1' })).toEqual({ ready: true });
  });
  expect((await router!.infer({ version: '1' })).outcome).toBe('ok');
  expect(where('1').sort()).toEqual([0, 1, 6]);
});
