import { inferenceService } from '@sluice/contracts/services';
import type { ModelStreamInferResponse__Output } from '@sluice/contracts/gen/inference/ModelStreamInferResponse';
import { eventually } from '@sluice/testkit/eventually';
import { openGrpcStream } from '@sluice/testkit/grpc-stream';
import { describe, expect, it } from 'vitest';
import { modelServer } from './model-server.ts';
import type { ModelServer } from './model-server.ts';
import { Placement } from './placement.ts';
import { wireModel, wireRoutes } from './routes.ts';
import { answered, ask, expectLost, publish, routerOf, sequenceParameters } from './sequence-requests.ts';
import type { TestRouter } from './world.ts';
import { inferBytes, onEnd, testRegistry } from './world.ts';

const before = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3, 4], sequences: true });
const after = wireModel({ aliases: { champion: 4 }, release: 4, placed: [4], unplaced: [3], sequences: true });
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const ids = numbers(12);

/** Those sequences that live on a runtime. */
async function homeOf(server: ModelServer, among = ids): Promise<number[]> {
  const known = among.map(async (id) => (await server.client.locateSequence({ model: 'digits', number: id })).known);
  const answers = await Promise.all(known);
  return among.filter((_, index) => answers[index]);
}

async function readyOn(router: TestRouter, key: string, runtimes: number): Promise<void> {
  await eventually(async () => {
    const ready = (await router.state()).runtimes.filter((runtime) => runtime.ready.includes(key));
    expect(ready).toHaveLength(runtimes);
  }, 20_000);
}

describe('sequences of real runtimes', () => {
  it('stay through alias moves, runtimes that join and routers that do not know them, and end with a runtime that is killed', async () => {
    const placement = new Placement([3, 4]);
    const registry = await testRegistry(wireRoutes(7, [before]), placement);
    const [dying, joining] = (await Promise.all(['r1', 'r2'].map((id) => modelServer(id, registry.address)))) as [
      ModelServer,
      ModelServer,
    ];
    const routers = [await routerOf(registry, 0), await routerOf(registry, 0)] as const;
    await publish(registry, 8, [dying.address], routers, [before]);
    for (const router of routers) for (const key of ['digits@3', 'digits@4']) await readyOn(router, key, 1);
    for (const id of ids) expect(answered(await ask(routers[0], id, 's'))).toBe('1,2@3');
    expect(await homeOf(dying)).toEqual(ids);

    const addresses = [dying.address, joining.address];
    await publish(registry, 9, addresses, routers, [before]);
    for (const router of routers) for (const key of ['digits@3', 'digits@4']) await readyOn(router, key, 2);
    for (const id of ids) expect(answered(await ask(routers[1], id))).toBe('2,4@3');

    // The version drains on its runtimes: it is ready nowhere, and goes on for those that live.
    await publish(registry, 10, addresses, routers, [after]);
    placement.place([4]);
    for (const router of routers) await readyOn(router, 'digits@3', 0);
    for (const id of ids) expect(answered(await ask(routers[id % 2]!, id))).toBe('3,6@3');
    const [ending, lostId, ...others] = ids as [number, number, ...number[]];
    expect(answered(await ask(routers[0], ending, 'e'))).toBe('4,8@3');
    expectLost(await ask(routers[1], ending));
    const later = ids.map((id) => id + 100);
    for (const id of later) expect(answered(await ask(routers[0], id, 's'))).toBe('1,2@4');
    expect(await homeOf(joining, later)).not.toEqual([]);

    const survivors = await homeOf(joining, later);
    const underWay = Array.from({ length: 50 }, () => ask(routers[0], lostId));
    await dying.kill();
    for (const result of await Promise.all(underWay)) if (result.outcome !== 'ok') expectLost(result);
    for (const id of [lostId, ...others]) await eventually(async () => expectLost(await ask(routers[0], id)));
    for (const id of survivors) expect(answered(await ask(routers[id % 2]!, id, 'e'))).toBe('2,4@4');
    // It begins anew through one router; the other, which knew it where it was, finds it.
    expect(answered(await ask(routers[0], lostId, 's'))).toBe('1,2@4');
    await eventually(async () => expect(answered(await ask(routers[1], lostId))).toBe('2,4@4'));
    expect(answered(await ask(routers[0], lostId, 'e'))).toBe('3,6@4');

    await streamsInOrder(routers[1]);
  });
});

/** Three sequences, their requests taking turns, none waiting for an answer, the third of each of a wrong shape. */
async function streamsInOrder(router: TestRouter): Promise<void> {
  const method = inferenceService.definition['ModelStreamInfer']!;
  const stream = openGrpcStream(`127.0.0.1:${router.ports['port']!}`, method.path);
  onEnd(() => stream.close());
  for (const step of numbers(30))
    for (const id of ['a', 'b', 'c']) {
      const wrong = step === 3 ? { values: [1, 2, 3], columns: 3 } : { values: [1, 0] };
      const parameters = sequenceParameters(id, `${step === 1 ? 's' : ''}${step === 30 ? 'e' : ''}`);
      stream.send(inferBytes({ id: `${id}${step}`, parameters, ...wrong }));
    }
  stream.halfClose();
  expect((await stream.end).code).toBe(0);
  const answers = stream.messages.map((message) => {
    const { errorMessage, inferResponse } = method.responseDeserialize(message) as ModelStreamInferResponse__Output;
    const sum = inferResponse!.rawOutputContents[0]?.readFloatLE(0);
    return `${inferResponse!.id} ${errorMessage === '' ? sum : 'failed'}`;
  });
  for (const id of ['a', 'b', 'c'])
    expect(answers.filter((text) => text.startsWith(id))).toEqual(
      numbers(30).map((step) => `${id}${step} ${step === 3 ? 'failed' : step < 3 ? step : step - 1}`),
    );
}
